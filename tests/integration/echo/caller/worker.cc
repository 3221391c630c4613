// Asks `echo` one number after the other and counts what comes back, so that a test sees the link
// live and heal.
#include "core/worker/worker.h"

#include <optional>
#include <string>

#include "core/loop/timer.h"
#include "core/worker/plugin_abi.h"

namespace gatehouse {
namespace {

constexpr milliseconds kAskEvery{20};
constexpr milliseconds kAnswerWithin{5000};

class EchoCaller final : public Worker {
 public:
  Result<void> Prepare(const WorkerConfig& /*config*/) override { return {}; }

  Result<void> Start(WorkerContext& context) override {
    echo_ = context.AskLinkTo("echo");
    if (echo_ == nullptr) return BadConfig("the topology has no link from echo_caller to echo");
    right_ = &context.metrics().Value("gatehouse_echo_caller_right_total");
    wrong_ = &context.metrics().Value("gatehouse_echo_caller_wrong_total");
    timer_.emplace(context.loop(), [this] { Ask(); });
    timer_->StartRepeating(kAskEvery);
    return {};
  }

  void Drain(std::function<void()> drained) override {
    timer_->Stop();
    drained();
  }

 private:
  void Ask() {
    std::string question = std::to_string(++asked_);
    echo_->AskBytes(question, kAnswerWithin, [this, question](const Result<std::string>& answer) {
      *(answer && *answer == question ? right_ : wrong_) += 1;
    });
  }

  ipc::AskClient* echo_ = nullptr;
  double* right_ = nullptr;
  double* wrong_ = nullptr;
  std::uint64_t asked_ = 0;
  std::optional<Timer> timer_;
};

}  // namespace
}  // namespace gatehouse

GATEHOUSE_PLUGIN("echo_caller", gatehouse::EchoCaller);
