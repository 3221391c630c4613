#include "tests/bench/driver.h"

#include <cstdio>
#include <utility>

namespace gatehouse::bench {
namespace {

constexpr double kSetUpLimitS = 20;
// Longer than any wait inside Gatehouse that ends with a delivery.
constexpr double kRestLimitS = 40;
constexpr double kDriverPollS = 0.01;
constexpr milliseconds kPaceTick{1};

}  // namespace

Driver::Driver(Loop& loop, DriverSetup setup)
    : loop_(loop),
      setup_(std::move(setup)),
      x2s_(setup_.pairs),
      s2x_(setup_.pairs),
      partner_(loop, setup_.partner,
               {.on_message = [this](MessageNumber number) { S2xArrived(number); },
                .on_error = [this](MessageNumber number) { X2sRefused(number); },
                .on_trouble = [this](const std::string& text) { Trouble(text); }}),
      sip_(loop, setup_.sip_gatehouse, setup_.partner.local_domain,
           {.on_message = [this](MessageNumber number) { X2sArrived(number); },
            .on_answer = [this](MessageNumber number, int status) { S2xAnswered(number, status); },
            .on_trouble = [this](const std::string& text) { Trouble(text); }}),
      step_timer_(loop, [this] { (this->*step_)(); }),
      pace_(loop, [this] { SendDue(); }) {}

Result<std::vector<PhaseResult>> Driver::Run() {
  GATEHOUSE_TRY_VOID(partner_.Listen(setup_.partner_fd));
  GATEHOUSE_TRY_VOID(sip_.Listen(setup_.sip_fd));
  give_up_at_ = loop_.Now() + std::chrono::duration_cast<milliseconds>(
                                  std::chrono::duration<double>(kSetUpLimitS));
  partner_.Connect([this] { ConnectSip(); });
  After(kDriverPollS, &Driver::FirstMessages);
  loop_.Run();
  if (!failure_.empty()) return gatehouse::Trouble(failure_);
  return std::move(results_);
}

void Driver::After(double seconds, Step step) {
  step_ = step;
  step_timer_.Start(
      std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds)));
}

// Reported at once; whether it mattered is seen in the losses.
void Driver::Trouble(const std::string& text) {
  std::fprintf(stderr, "gatehouse_bench: %s\n", text.c_str());
  failure_ = results_.empty() && current_ == 0 && !sending_ ? text : failure_;
}

void Driver::ConnectSip() {
  sip_.Connect([this] { Greet(); });
}

// One message each way for each domain opens the streams and connections that Gatehouse makes.
void Driver::Greet() {
  for (std::size_t pair = 0; pair < setup_.partner.domains.size(); ++pair) {
    SendX2s(pair);
    SendS2x(pair);
    greeted_ += 2;
  }
}

void Driver::FirstMessages() {
  const bool greeted = greeted_ > 0 && x2s_.in_flight() + s2x_.in_flight() == 0;
  if (!greeted && loop_.Now() > give_up_at_) {
    if (failure_.empty()) failure_ = "the first messages did not cross";
    return loop_.Stop();
  }
  if (!greeted) return After(kDriverPollS, &Driver::FirstMessages);
  const Tally there = x2s_.TakeTally();
  const Tally back = s2x_.TakeTally();
  if (there.refused + back.refused > 0) {
    failure_ = "the first messages were refused";
    return loop_.Stop();
  }
  failure_.clear();
  StartPhase();
}

void Driver::StartPhase() {
  sending_ = true;
  for (std::size_t i = 0; i < phase().window; ++i) {
    if (Sends(Mode::kX2s)) SendX2s(i % setup_.pairs);
    if (Sends(Mode::kS2x)) SendS2x(i % setup_.pairs);
  }
  if (phase().rate > 0) {
    paced_ = 0;
    paced_since_ = loop_.Now();
    pace_.StartRepeating(kPaceTick);
  }
  After(phase().warm_up_s, &Driver::StartMeasuring);
}

void Driver::SendDue() {
  const std::chrono::duration<double> span = loop_.Now() - paced_since_;
  const auto due = static_cast<std::uint64_t>(span.count() * static_cast<double>(phase().rate));
  for (; paced_ < due; ++paced_) {
    if (Sends(Mode::kX2s)) SendX2s(paced_ % setup_.pairs);
    if (Sends(Mode::kS2x)) SendS2x(paced_ % setup_.pairs);
  }
}

void Driver::StartMeasuring() {
  cpu_at_start_.clear();
  for (const WatchedProcess& process : setup_.processes)
    cpu_at_start_.push_back(CpuNanoseconds(process.pid));
  measured_since_ = loop_.Now();
  x2s_.StartMeasuring();
  s2x_.StartMeasuring();
  After(phase().measured_s, &Driver::StopMeasuring);
}

void Driver::StopMeasuring() {
  x2s_.StopMeasuring();
  s2x_.StopMeasuring();
  PhaseResult result{.phase = phase()};
  result.measured_s = std::chrono::duration<double>(loop_.Now() - measured_since_).count();
  for (std::size_t i = 0; i < setup_.processes.size(); ++i) {
    const WatchedProcess& process = setup_.processes[i];
    const auto used = CpuNanoseconds(process.pid) - cpu_at_start_[i];
    result.workers.push_back({process.name, static_cast<double>(used) / 1000, PssKib(process.pid)});
  }
  results_.push_back(std::move(result));
  sending_ = false;
  pace_.Stop();
  give_up_at_ = loop_.Now() + std::chrono::duration_cast<milliseconds>(
                                  std::chrono::duration<double>(kRestLimitS));
  AwaitRest();
}

void Driver::AwaitRest() {
  if (x2s_.in_flight() + s2x_.in_flight() > 0 && loop_.Now() < give_up_at_)
    return After(kDriverPollS, &Driver::AwaitRest);
  FinishPhase();
}

void Driver::FinishPhase() {
  results_.back().x2s = x2s_.TakeTally();
  results_.back().s2x = s2x_.TakeTally();
  ++current_;
  if (current_ == setup_.phases.size()) return loop_.Stop();
  StartPhase();
}

void Driver::SendX2s(std::size_t pair) {
  partner_.SendMessage(pair, x2s_.Send(pair, loop_.Now()), setup_.stanza_bytes);
}

void Driver::SendS2x(std::size_t pair) {
  s2x_pair_.push_back(static_cast<std::uint32_t>(pair));
  s2x_half_done_.push_back(false);
  sip_.SendMessage(pair, partner_.UserOf(pair), s2x_.Send(pair, loop_.Now()), setup_.stanza_bytes);
}

// In a window one message that has ended makes room for the next of its pair.
void Driver::Next(Mode direction, std::size_t pair) {
  if (!sending_ || phase().window == 0) return;
  if (direction == Mode::kX2s) return SendX2s(pair);
  SendS2x(pair);
}

void Driver::X2sArrived(MessageNumber number) {
  if (const auto pair = x2s_.Arrived(number, loop_.Now())) Next(Mode::kX2s, *pair);
}

// A SIP message is in flight until the stanza is there and its sender has the answer.
void Driver::S2xArrived(MessageNumber number) {
  if (s2x_.Arrived(number, loop_.Now())) S2xHalfDone(number);
}

void Driver::S2xHalfDone(MessageNumber number) {
  if (s2x_half_done_[number]) return Next(Mode::kS2x, s2x_pair_[number]);
  s2x_half_done_[number] = true;
}

void Driver::X2sRefused(MessageNumber number) {
  if (const auto pair = x2s_.Refused(number)) Next(Mode::kX2s, *pair);
}

void Driver::S2xAnswered(MessageNumber number, int status) {
  if (number >= s2x_pair_.size()) return;
  if (status < 300) return S2xHalfDone(number);
  if (const auto pair = s2x_.Refused(number)) Next(Mode::kS2x, *pair);
}

}  // namespace gatehouse::bench
