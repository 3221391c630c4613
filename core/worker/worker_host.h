// Runs one worker: its life from the loaded plugin to the end of the process.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/loop/readable_watch.h"
#include "core/worker/worker.h"
#include "ipc/control_link.h"
#include "ipc/links.h"
#include "ipc/zmq_context.h"

namespace gatehouse {

class WorkerHost final : private WorkerContext {
 public:
  static Result<std::unique_ptr<WorkerHost>> Create(WorkerConfig config);
  ~WorkerHost() override;

  // Loads, prepares, enters the sandbox, starts, reports ready, runs until the lifeline ends. What
  // fails on the way is told to the supervisor.
  //   returns  the exit status of this process: 0, kExitConfig or kExitFailure
  int Run();

 private:
  WorkerHost(WorkerConfig config, std::unique_ptr<Loop> loop);

  Result<void> Connect();
  Result<void> BringUp();
  Result<void> GiveUpRights();
  void OnWord(const proto::FromSupervisor& word);
  void OnNewConfig(const proto::Config& config);
  void OnSiblingUp(const proto::Sibling& sibling);
  void OnSiblingDown(const proto::Sibling& sibling);
  void OnCtlRequest(const proto::CtlRequest& request);
  void OnDnsHook(const proto::DnsHookResult& result);
  void OnLifeline();
  void Drain();
  void SendPong(std::uint64_t ping);
  void SendFatal(const std::string& why);
  void Send(proto::FromWorker word);

  // WorkerContext
  Loop& loop() override { return *loop_; }
  Metrics& metrics() override { return metrics_; }
  const WorkerConfig& config() const override { return config_; }
  ipc::AskClient* AskLinkTo(std::string_view plugin) override;
  void AnswerAsks(ipc::AskServer::Handler handler) override;
  ipc::DataLinkSet* DataLinksWith(std::string_view plugin) override;
  [[nodiscard]] milliseconds AwayFor(std::string_view plugin) const override;
  void ReportMalformed(std::string_view instance, std::string_view what) override;
  void OnCtl(std::function<void(const proto::CtlRequest&, CtlAnswer)> handler) override;
  void OnReconfigure(Reconfigure handler) override;
  void StillBusy() override;
  void CallDnsHook(const proto::DnsHookCall& call, std::function<void(Result<void>)> done) override;
  void Fail(std::string_view why) override;

  // In the order of construction: the worker goes first, the loop last.
  WorkerConfig config_;
  Metrics metrics_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<ipc::ZmqContext> zmq_;
  std::unique_ptr<ipc::ControlClient> control_;
  std::unique_ptr<ReadableWatch> lifeline_;
  std::optional<ipc::Links> links_;
  std::map<std::string, proto::Sibling, std::less<>> siblings_;  // that live, by instance
  std::map<std::string, TimePoint, std::less<>> away_since_;     // by plugin: none of it lives
  std::function<void(const proto::CtlRequest&, CtlAnswer)> on_ctl_;
  Reconfigure on_reconfigure_;
  Result<void> reconfigured_;  // how the last reload went here
  std::unique_ptr<Worker> worker_;
  std::map<std::uint64_t, std::function<void(Result<void>)>> dns_hooks_;  // that run, by their id
  std::uint64_t last_dns_hook_ = 0;
  TimePoint pings_taken_{};  // while busy
  bool draining_ = false;
  int exit_status_ = 0;
};

}  // namespace gatehouse
