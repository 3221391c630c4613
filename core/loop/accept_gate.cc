#include "core/loop/accept_gate.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/process_resources.h"

namespace gatehouse {
namespace {

constexpr milliseconds kWait{100};
// Under a flood the gate opens for each descriptor that comes free: one line tells of all of it.
constexpr seconds kLogEvery{60};

double& Stopped(Metrics& metrics, std::string_view reason) {
  return metrics.Value("gatehouse_accepting_stopped_total",
                       "{reason=\"" + std::string(reason) + "\"}");
}

}  // namespace

AcceptGate::AcceptGate(Loop& loop, Metrics& metrics, std::function<void(bool)> apply)
    : loop_(loop),
      apply_(std::move(apply)),
      stopped_for_descriptors_(Stopped(metrics, "descriptors")),
      stopped_for_memory_(Stopped(metrics, "memory")),
      wait_(loop, [this] { CheckDescriptors(); }) {}

void AcceptGate::OnAccepted() {
  if (short_of_descriptors_ || HasDescriptorsToSpare(kReservedDescriptors)) return;
  Stop(short_of_descriptors_, stopped_for_descriptors_, "descriptors");
  wait_.StartRepeating(kWait);
}

void AcceptGate::CheckDescriptors() {
  if (!HasDescriptorsToSpare(kReservedDescriptors)) return;
  wait_.Stop();
  GoOn(short_of_descriptors_);
}

void AcceptGate::SetMemoryShort(bool is_short) {
  if (is_short == short_of_memory_) return;
  if (is_short)
    Stop(short_of_memory_, stopped_for_memory_, "memory");
  else
    GoOn(short_of_memory_);
}

void AcceptGate::Stop(bool& reason, double& counter, std::string_view what) {
  const bool was_open = is_open();
  reason = true;
  ++counter;
  const TimePoint now = loop_.Now();
  if (logged_at_ == TimePoint{} || now - logged_at_ >= kLogEvery) {
    logged_at_ = now;
    Log(LogLevel::kWarning, "accepting-stopped", {{"short_of", what}});
  }
  if (was_open) apply_(false);
}

void AcceptGate::GoOn(bool& reason) {
  reason = false;
  if (is_open()) apply_(true);
}

}  // namespace gatehouse
