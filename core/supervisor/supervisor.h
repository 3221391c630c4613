// gatehoused: reads the configuration, opens the listening sockets, starts, watches and restarts
// the workers. It parses nothing that comes from the network and never carries a stanza.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/config/yaml_config.h"
#include "core/loop/owned_fd.h"
#include "core/loop/signal_watch.h"
#include "core/loop/timer.h"
#include "core/supervisor/ctl_desk.h"
#include "core/supervisor/dns_hook.h"
#include "core/supervisor/fleet.h"
#include "core/supervisor/notify_socket.h"
#include "core/supervisor/runtime_paths.h"
#include "ipc/control_link.h"
#include "ipc/ctl_link.h"
#include "ipc/zmq_context.h"

namespace gatehouse {

class Supervisor {
 public:
  struct Options {
    std::string config_file;
    std::string state_dir;
    std::string runtime_dir;
    InstallLayout layout;
    LogFormat log_format = LogFormat::kText;
  };
  // How long SIGTERM waits for workers to drain.
  static constexpr seconds kDrainLimit{10};

  // Checks everything that can be wrong before a process is started: configuration, topology,
  // folders, plugin files, sockets of its own.
  //   fails  kConfig with one line for the operator
  static Result<std::unique_ptr<Supervisor>> Create(const Options& options);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Binds the listening sockets, starts the workers, and serves until it is told to stop.
  //   fails  kConfig: an address cannot be had, or a worker could not be started with this
  //   configuration
  Result<void> Run();

 private:
  Supervisor(const Options& options, proto::Topology topology, YamlConfig yaml,
             std::unique_ptr<Loop> loop);
  Result<void> Open();
  void WatchSignals();
  void WatchSystemd();
  Result<void> Reload();
  void OnHangup();
  void Stop(milliseconds drain);
  void OnAllReady();
  void Say(const Instance& instance, const proto::FromSupervisor& word);
  void OnWord(std::string_view instance, const proto::FromWorker& word);
  void OnDnsHook(const std::string& instance, const proto::FromWorker& word);
  [[nodiscard]] Fleet::Hooks FleetHooks();
  [[nodiscard]] CtlDesk::Hooks DeskHooks();

  const Options options_;
  const RuntimePaths paths_;
  const proto::Topology topology_;
  YamlConfig yaml_;
  const NotifySocket notify_;
  OwnedFd runtime_lock_, state_lock_;
  std::optional<Error> failed_;
  bool stopping_ = false;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<ipc::ZmqContext> zmq_;
  std::unique_ptr<ipc::ControlServer> control_;
  Fleet fleet_;
  CtlDesk desk_;
  DnsHook dns_hook_;
  std::unique_ptr<ipc::CtlServer> ctl_;
  std::vector<std::unique_ptr<SignalWatch>> signals_;
  Timer watchdog_;
};

}  // namespace gatehouse
