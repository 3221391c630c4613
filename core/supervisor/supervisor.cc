#include "core/supervisor/supervisor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "core/config/check_acme.h"
#include "core/config/check_config.h"
#include "core/supervisor/folders.h"
#include "core/supervisor/topology.h"

namespace gatehouse {
namespace {

// At the end, for records that are to be taken out of a zone.
constexpr seconds kHookPatience{5};

// Found before anything is started, so that the operator sees one line and not a worker's death.
Result<void> CheckPrograms(const Supervisor::Options& options, const Plan& plan) {
  if (::access(options.layout.worker_program.c_str(), X_OK) != 0)
    return BadConfig(
        fmt::format("{} is missing or cannot be run; would be right: install "
                    "gatehouse-worker beside gatehoused",
                    options.layout.worker_program));
  for (const PoolPlan& pool : plan.pools) {
    const std::string file = fmt::format("{}/{}", options.layout.plugin_dir, pool.kind.plugin());
    if (::access(file.c_str(), R_OK) != 0)
      return BadConfig(
          fmt::format("plugin {} of worker '{}' is missing or cannot be read; would be "
                      "right: install it, or name its folder with --plugin-dir",
                      file, pool.name()));
  }
  return {};
}

void LogWarnings(const YamlConfig& yaml) {
  for (const std::string& warning : yaml.warnings())
    Log(LogLevel::kWarning, "config-doubtful", {{"what", warning}});
}

// Absolute, whatever the folder this program was started in.
Result<Supervisor::Options> WithFolders(Supervisor::Options options) {
  GATEHOUSE_TRY(options.state_dir, PrepareFolder("--state-dir", options.state_dir));
  GATEHOUSE_TRY(options.runtime_dir, PrepareFolder("--runtime-dir", options.runtime_dir));
  return options;
}

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::Create(const Options& options) {
  GATEHOUSE_TRY(proto::Topology topology, ReadTopologyFile(options.layout.topology_file));
  GATEHOUSE_TRY(YamlConfig yaml, LoadConfig(options.config_file, topology));
  GATEHOUSE_TRY_VOID(CheckPrograms(options, MakePlan(yaml.config(), topology)));
  GATEHOUSE_TRY(const Options absolute, WithFolders(options));
  GATEHOUSE_TRY(auto loop, Loop::Create());
  std::unique_ptr<Supervisor> supervisor(  // NOLINT(modernize-make-unique): private
      new Supervisor(absolute, std::move(topology), std::move(yaml), std::move(loop)));
  GATEHOUSE_TRY_VOID(supervisor->Open());
  return supervisor;
}

Supervisor::Supervisor(const Options& options, proto::Topology topology, YamlConfig yaml,
                       std::unique_ptr<Loop> loop)
    : options_(options),
      paths_{options.runtime_dir},
      topology_(std::move(topology)),
      yaml_(std::move(yaml)),
      notify_(NotifySocket::FromEnvironment()),
      loop_(std::move(loop)),
      fleet_(*loop_,
             Fleet::Setup{.worker_program = options.layout.worker_program,
                          .plugin_dir = options.layout.plugin_dir,
                          .state_dir = options.state_dir,
                          .paths = paths_,
                          .log_format = options.log_format},
             FleetHooks()),
      desk_(*loop_, fleet_, DeskHooks()),
      dns_hook_(*loop_, options.state_dir + "/acme-records"),
      watchdog_(*loop_, [this] { notify_.Watchdog(); }) {}

Supervisor::~Supervisor() = default;

Fleet::Hooks Supervisor::FleetHooks() {
  return Fleet::Hooks{
      .say = [this](const Instance& instance,
                    const proto::FromSupervisor& word) { Say(instance, word); },
      .on_all_ready = [this] { OnAllReady(); },
      .on_all_stopped = [this] { dns_hook_.WhenIdle(kHookPatience, [this] { loop_->Stop(); }); },
      .on_died_of_config =
          [this](const Error& why) {
            failed_ = why;
            loop_->Stop();
          },
      .on_died =
          [this](const Instance& instance) {
            desk_.OnDied(instance);
            if (instance.name().plugin == kAcmeWorker) dns_hook_.OnAskerDied();
          },
      .on_pong = [this](const Instance& instance) { desk_.OnPong(instance); }};
}

CtlDesk::Hooks Supervisor::DeskHooks() {
  return CtlDesk::Hooks{.say = [this](const Instance& instance,
                                      const proto::FromSupervisor& word) { Say(instance, word); },
                        .reload = [this] { return Reload(); },
                        .stop = [this](seconds drain) { Stop(drain); }};
}

Result<void> Supervisor::Open() {
  GATEHOUSE_TRY_VOID(CheckPathLengths(topology_, paths_));
  GATEHOUSE_TRY(runtime_lock_, LockFolder("--runtime-dir", paths_.dir));
  // Two engines would write over each other's partners.
  if (options_.state_dir != paths_.dir) {
    GATEHOUSE_TRY(state_lock_, LockFolder("--state-dir", options_.state_dir));
  }
  GATEHOUSE_TRY_VOID(PrepareLinkFolders(paths_, topology_));
  GATEHOUSE_TRY(zmq_, ipc::ZmqContext::Create());
  ipc::ControlServer::Events events{
      .on_word = [this](std::string_view instance,
                        const proto::FromWorker& word) { OnWord(instance, word); },
      .on_malformed = [this](std::string_view instance,
                             std::string_view what) { fleet_.OnMalformed(instance, what); }};
  GATEHOUSE_TRY(control_, ipc::ControlServer::Create(*loop_, *zmq_, paths_.ControlAddress(),
                                                     std::move(events)));
  GATEHOUSE_TRY(ctl_, ipc::CtlServer::Create(
                          *loop_, *zmq_, paths_.CtlAddress(),
                          [this](const proto::CtlRequest& request, ipc::CtlServer::Reply reply) {
                            desk_.OnRequest(request, std::move(reply));
                          }));
  return {};
}

Result<void> Supervisor::Run() {
  WatchSignals();
  WatchSystemd();
  LogWarnings(yaml_);
  if (auto applied = fleet_.Apply(MakePlan(yaml_.config(), topology_)); !applied)
    return std::unexpected(yaml_.At(applied.error().key, applied.error().what));
  for (const ListeningSockets::Listener& listener : fleet_.sockets().All())
    Log(LogLevel::kInfo, "listening", {{"kind", listener.kind}, {"address", listener.address}});
  dns_hook_.RemoveLeft(yaml_.config());
  loop_->Run();
  if (failed_) return std::unexpected(*failed_);
  Log(LogLevel::kInfo, "stopped");
  return {};
}

void Supervisor::WatchSignals() {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  const auto watch = [this](int number, std::function<void()> action) {
    signals_.push_back(std::make_unique<SignalWatch>(*loop_, number, std::move(action)));
  };
  watch(SIGTERM, [this] { Stop(kDrainLimit); });
  watch(SIGINT, [this] { Stop(kDrainLimit); });
  watch(SIGHUP, [this] { OnHangup(); });
}

void Supervisor::WatchSystemd() {
  if (notify_.watchdog()) watchdog_.StartRepeating(*notify_.watchdog());
}

void Supervisor::OnAllReady() {
  Log(LogLevel::kInfo, "ready", {{"version", GATEHOUSE_VERSION}});
  notify_.Ready("all workers are ready");
}

// The second request does not wait any more.
void Supervisor::Stop(milliseconds drain) {
  Log(LogLevel::kInfo, "stopping");
  notify_.Stopping();
  fleet_.StopAll(std::exchange(stopping_, true) ? milliseconds{0} : drain);
}

void Supervisor::OnHangup() {
  if (const auto reloaded = Reload(); !reloaded)
    Log(LogLevel::kError, "reload-refused", {{"why", reloaded.error().text}});
}

Result<void> Supervisor::Reload() {
  if (stopping_) return Trouble("gatehoused is stopping");
  GATEHOUSE_TRY(YamlConfig yaml, LoadConfig(options_.config_file, topology_));
  Plan plan = MakePlan(yaml.config(), topology_);
  GATEHOUSE_TRY_VOID(CheckPrograms(options_, plan));
  notify_.Reloading();
  const auto applied = fleet_.Apply(std::move(plan));
  notify_.Ready(applied ? "reloaded" : "the new configuration was refused, the old one holds");
  if (!applied) return std::unexpected(yaml.At(applied.error().key, applied.error().what));
  yaml_ = std::move(yaml);
  LogWarnings(yaml_);
  Log(LogLevel::kInfo, "reloaded");
  return {};
}

// A worker that cannot be told is one that just died; its next life is told all anew.
void Supervisor::Say(const Instance& instance, const proto::FromSupervisor& word) {
  if (const auto sent = control_->Send(instance.name().text, word); !sent)
    Log(LogLevel::kDebug, "control-word-lost",
        {{"instance", instance.name().text}, {"why", sent.error().text}});
}

void Supervisor::OnWord(std::string_view instance, const proto::FromWorker& word) {
  if (word.has_ctl()) return desk_.OnAnswer(std::string(instance), word.ctl());
  if (word.has_dns_hook()) return OnDnsHook(std::string(instance), word);
  fleet_.OnWord(instance, word);
}

// What is started, is in our configuration; a worker says with which words only.
void Supervisor::OnDnsHook(const std::string& instance, const proto::FromWorker& word) {
  const Instance* const asker = fleet_.Find(instance);
  if (asker == nullptr || asker->epoch() != word.epoch()) return;
  const auto answer = [this, instance, id = word.dns_hook().id(),
                       epoch = word.epoch()](const Result<void>& ended) {
    const Instance* const to = fleet_.Find(instance);
    if (to == nullptr) return;
    proto::FromSupervisor reply;
    proto::DnsHookResult& result = *reply.mutable_dns_hook();
    result.set_id(id);
    result.set_epoch(epoch);
    if (!ended) result.set_error(ended.error().text);
    Say(*to, reply);
  };
  dns_hook_.Call(asker->name().plugin, yaml_.config(), word.dns_hook(), answer);
}

}  // namespace gatehouse
