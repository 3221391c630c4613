// What a plugin implements, and what its host gives it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/loop/loop.h"
#include "ipc/ask_link.h"
#include "ipc/data_link.h"
#include "proto/ctl.pb.h"
#include "proto/link_control.pb.h"

namespace gatehouse {

using proto::WorkerConfig;

class WorkerContext {
 public:
  virtual ~WorkerContext() = default;
  [[nodiscard]] virtual Loop& loop() = 0;
  [[nodiscard]] virtual Metrics& metrics() = 0;
  [[nodiscard]] virtual const WorkerConfig& config() const = 0;

  // The asking end of this worker's ASK link to `plugin`, or null where the topology has none.
  [[nodiscard]] virtual ipc::AskClient* AskLinkTo(std::string_view plugin) = 0;
  // The answering end: `handler` gets every question of every worker that may ask us.
  virtual void AnswerAsks(ipc::AskServer::Handler handler) = 0;
  // The data links with every instance of `plugin`, or null where the topology has none.
  [[nodiscard]] virtual ipc::DataLinkSet* DataLinksWith(std::string_view plugin) = 0;
  // How long no instance of `plugin`, which this worker has a link with, has been alive; 0 while
  // one is.
  [[nodiscard]] virtual milliseconds AwayFor(std::string_view plugin) const = 0;
  // A malformed message came from `instance`: closes the link and asks for its restart. Counted.
  virtual void ReportMalformed(std::string_view instance, std::string_view what) = 0;

  // gatehousectl's commands for this worker; `answer` is called once, now or later.
  using CtlAnswer = std::function<void(proto::CtlResponse)>;
  virtual void OnCtl(std::function<void(const proto::CtlRequest&, CtlAnswer answer)> handler) = 0;
  // A reloaded gatehouse.yaml (domains, trusted peers, certificate files, DNS servers). A worker
  // that cannot take it stays as it was and gives the reason: it is logged, and told to whoever
  // reloads.
  using Reconfigure = std::function<Result<void>(const proto::Config&)>;
  virtual void OnReconfigure(Reconfigure handler) = 0;
  // To be called over and over in one long piece of work, which has an end: the supervisor's pings
  // are answered, all else waits, in its order. Costs a look at the clock.
  virtual void StillBusy() = 0;
  // Has the supervisor call the program at acme.dns_hook, of acme_client alone. `done` is called
  // once, later: well, or why not.
  virtual void CallDnsHook(const proto::DnsHookCall& call,
                           std::function<void(Result<void>)> done) = 0;
  // Ends this process with one line in the log; the restart rule applies.
  virtual void Fail(std::string_view why) = 0;
};

class Worker {
 public:
  virtual ~Worker() = default;
  // Reads files and keys. Runs before rights are dropped; no network, no links yet.
  virtual Result<void> Prepare(const WorkerConfig& config) = 0;
  // Opens links and timers on context's loop. Runs sandboxed. Must not block. `context` outlives
  // the worker.
  virtual Result<void> Start(WorkerContext& context) = 0;
  // Takes no new work, settles what it holds, then calls `drained` once.
  virtual void Drain(std::function<void()> drained) = 0;
};

}  // namespace gatehouse
