// The smallest worker there is: it answers every question with the question itself. The README
// explains it.
#include "core/worker/worker.h"

#include "core/base/log.h"
#include "core/worker/plugin_abi.h"

namespace gatehouse {
namespace {

class EchoWorker final : public Worker {
 public:
  // Files and keys would be read here, while the process still has its rights.
  Result<void> Prepare(const WorkerConfig& config) override {
    instance_ = config.instance();
    return {};
  }

  // From here on the process is in its sandbox and knows its siblings through `context` only.
  Result<void> Start(WorkerContext& context) override {
    double& answered = context.metrics().Value("gatehouse_echo_answers_total");
    context.AnswerAsks([&answered](std::string_view /*asker*/, std::string_view question,
                                   const ipc::AskServer::Reply& reply) {
      answered += 1;
      reply(std::string(question));
    });
    context.OnReconfigure([this](const proto::Config& config) -> Result<void> {
      Log(LogLevel::kInfo, "echo-reconfigured",
          {{"instance", instance_}, {"domain", config.domains(0).name()}});
      if (config.sip().host() == "untakable.example") return Trouble("this host cannot be taken");
      return {};
    });
    return {};
  }

  // It holds nothing, so it has drained at once.
  void Drain(std::function<void()> drained) override { drained(); }

 private:
  std::string instance_;
};

}  // namespace
}  // namespace gatehouse

GATEHOUSE_PLUGIN("echo", gatehouse::EchoWorker);
