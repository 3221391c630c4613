// A worker's surroundings of which only the link to policy_engine is there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/worker/worker.h"

namespace gatehouse {

// `Engine`: its end of the link.
template <class Engine>
class FakeWorkerContext final : public WorkerContext {
 public:
  FakeWorkerContext() : loop_(*Loop::Create()) {}
  Loop& loop() override { return *loop_; }
  Metrics& metrics() override { return metrics_; }
  const WorkerConfig& config() const override { return config_; }
  ipc::AskClient* AskLinkTo(std::string_view plugin) override {
    return plugin == "policy_engine" ? &engine : nullptr;
  }
  void AnswerAsks(ipc::AskServer::Handler) override {}
  ipc::DataLinkSet* DataLinksWith(std::string_view) override { return nullptr; }
  milliseconds AwayFor(std::string_view) const override { return {}; }
  void ReportMalformed(std::string_view instance, std::string_view) override {
    malformed.emplace_back(instance);
  }
  void OnCtl(std::function<void(const proto::CtlRequest&, CtlAnswer)>) override {}
  void OnReconfigure(Reconfigure) override {}
  void StillBusy() override {}
  void CallDnsHook(const proto::DnsHookCall& /*call*/,
                   std::function<void(Result<void>)> /*done*/) override {}
  void Fail(std::string_view) override {}

  Engine engine;
  std::vector<std::string> malformed;

 private:
  std::unique_ptr<Loop> loop_;
  Metrics metrics_;
  WorkerConfig config_;
};

}  // namespace gatehouse
