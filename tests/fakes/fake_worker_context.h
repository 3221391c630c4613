// What a worker part sees of its host, with a real loop and nobody linked.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "core/loop/loop.h"
#include "core/worker/worker.h"

namespace gatehouse {

class FakeWorkerContext final : public WorkerContext {
 public:
  explicit FakeWorkerContext(Loop& loop, WorkerConfig config = {})
      : loop_(loop), config_(std::move(config)) {}
  Loop& loop() override { return loop_; }
  Metrics& metrics() override { return metrics_; }
  const WorkerConfig& config() const override { return config_; }
  ipc::AskClient* AskLinkTo(std::string_view) override { return nullptr; }
  void AnswerAsks(ipc::AskServer::Handler) override {}
  ipc::DataLinkSet* DataLinksWith(std::string_view) override { return nullptr; }
  milliseconds AwayFor(std::string_view) const override { return {}; }
  void ReportMalformed(std::string_view, std::string_view) override {}
  void OnCtl(std::function<void(const proto::CtlRequest&, CtlAnswer)>) override {}
  void OnReconfigure(Reconfigure) override {}
  void StillBusy() override {}
  void CallDnsHook(const proto::DnsHookCall& /*call*/,
                   std::function<void(Result<void>)> /*done*/) override {}
  void Fail(std::string_view) override {}

 private:
  Loop& loop_;
  Metrics metrics_;
  WorkerConfig config_;
};

}  // namespace gatehouse
