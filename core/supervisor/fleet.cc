#include "core/supervisor/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "core/config/check_config.h"
#include "core/supervisor/topology.h"

namespace gatehouse {

Fleet::Fleet(Loop& loop, Setup setup, Hooks hooks)
    : loop_(loop), setup_(std::move(setup)), hooks_(std::move(hooks)) {}

Fleet::~Fleet() = default;

Instance* Fleet::Find(std::string_view instance) {
  const auto found = instances_.find(instance);
  return found == instances_.end() ? nullptr : found->second.get();
}

void Fleet::ForEach(const std::function<void(Instance&)>& visit) {
  for (const auto& instance : instances_ | std::views::values) visit(*instance);
}

// --- what should run

Result<void, ListeningSockets::BindFailure> Fleet::Apply(Plan plan) {
  const auto is_out = [this](const ListeningSockets::Instance& instance) {
    return drained_by_operator_.contains(InstanceName(instance.first, instance.second));
  };
  if (auto opened = sockets_.Open(plan, is_out); !opened) return opened;
  const Plan before = std::exchange(plan_, std::move(plan));
  sockets_.CloseUnwanted(plan_);
  RetireUnwanted();
  StartOrRestart();
  TellNewCounts(before);
  Reconfigure();
  return {};
}

bool Fleet::IsWanted(const Instance& instance) const {
  const PoolPlan* const pool = plan_.Find(instance.name().plugin);
  return pool != nullptr && instance.name().index < pool->count;
}

void Fleet::RetireUnwanted() {
  for (const auto& instance : instances_ | std::views::values)
    if (!IsWanted(*instance)) instance->Drain(kRetireDrain, AfterDrain::kStop);
}

void Fleet::StartOrRestart() {
  for (const PoolPlan& pool : plan_.pools)
    for (unsigned index = 0; index < pool.count; ++index) StartOrRestart(pool.name(), index);
}

void Fleet::StartOrRestart(const std::string& plugin, unsigned index) {
  const std::string name = InstanceName(plugin, index);
  Instance* const instance = Find(name);
  if (instance == nullptr) return Create(plugin, index);
  const auto rights = birth_rights_.find(name);
  if (rights == birth_rights_.end() || drained_by_operator_.contains(name)) return;
  if (rights->second != BirthRights(plugin, index))
    instance->Drain(kRestartDrain, AfterDrain::kRestart);
}

void Fleet::Create(const std::string& plugin, unsigned index) {
  Instance::Name name{plugin, index, InstanceName(plugin, index)};
  Instance::Hooks hooks{
      .spawn =
          [this](const Instance& instance, std::function<void(ChildProcess::Exit)> on_exit) {
            return Spawn(instance, std::move(on_exit));
          },
      .say = hooks_.say,
      .on_ready = [this](Instance& instance) { OnReady(instance); },
      .on_drained = [this](Instance& /*instance*/) { CheckAllDrained(); },
      .on_stopped = [this](Instance& instance) { OnStopped(instance); },
      .on_died = [this](Instance& instance, const Error& why) { OnDied(instance, why); },
      .on_pong = hooks_.on_pong};
  std::string text = name.text;
  auto& instance = instances_[std::move(text)];
  instance = std::make_unique<Instance>(loop_, std::move(name), std::move(hooks));
  instance->Start();
}

void Fleet::Reconfigure() {
  proto::FromSupervisor word;
  *word.mutable_reconfigure() = plan_.config;
  for (const auto& instance : instances_ | std::views::values)
    if (instance->state() == InstanceState::kReady) hooks_.say(*instance, word);
}

// --- how an instance is born

Result<SpawnedWorker> Fleet::Spawn(const Instance& instance,
                                   std::function<void(ChildProcess::Exit)> on_exit) {
  const Instance::Name& name = instance.name();
  const PoolPlan* const pool = plan_.Find(name.plugin);
  if (pool == nullptr) return Trouble(fmt::format("{}: is not configured any more", name.text));
  birth_rights_[name.text] = BirthRights(name.plugin, name.index);
  return SpawnWorker(loop_, setup_.worker_program, Describe(instance),
                     sockets_.Of(*pool, name.index), std::move(on_exit));
}

proto::WorkerConfig Fleet::Describe(const Instance& instance) const {
  const Instance::Name& name = instance.name();
  const proto::WorkerKind& kind = *FindWorkerKind(plan_.topology, name.plugin);
  proto::WorkerConfig config;
  config.set_instance(name.text);
  config.set_plugin(name.plugin);
  config.set_plugin_path(fmt::format("{}/{}", setup_.plugin_dir, kind.plugin()));
  config.set_epoch(instance.epoch());
  config.set_index(name.index);
  *config.mutable_config() = plan_.config;
  config.set_state_dir(setup_.state_dir);
  config.set_runtime_dir(setup_.paths.dir);
  config.set_control_address(setup_.paths.ControlAddress());
  for (proto::LinkEnd& end : LinkEndsOf(plan_, setup_.paths, name.plugin, name.index))
    *config.add_links() = std::move(end);
  config.set_log_format(setup_.log_format == LogFormat::kJson ? "json" : "text");
  config.set_may_use_network(kind.network_size() > 0);
  config.set_may_write_state(kind.state());
  return config;
}

std::string Fleet::BirthRights(const std::string& plugin, unsigned index) const {
  std::string rights;
  for (const proto::LinkEnd& end : LinkEndsOf(plan_, setup_.paths, plugin, index))
    rights += end.SerializeAsString();
  for (const ListeningSockets::Handed& socket : sockets_.Of(*plan_.Find(plugin), index))
    rights += socket.description.SerializeAsString();
  return rights;
}

// --- what happens to instances

void Fleet::OnWord(std::string_view instance, const proto::FromWorker& word) {
  Instance* const from = Find(instance);
  if (from == nullptr) return;
  if (word.has_restart_sibling() && word.epoch() == from->epoch())
    return OnComplaint(*from, word.restart_sibling());
  from->OnWord(word);
}

void Fleet::OnMalformed(std::string_view instance, std::string_view what) {
  if (Instance* const from = Find(instance); from != nullptr)
    from->Kill(fmt::format("malformed control word: {}", what));
}

void Fleet::OnComplaint(const Instance& reporter, const proto::Sibling& about) {
  Instance* const accused = Find(about.instance());
  if (accused == nullptr || accused->epoch() != about.epoch()) return;
  const auto linked = PluginsLinkedWith(plan_, reporter.name().plugin);
  if (std::ranges::find(linked, accused->name().plugin, &LinkedPlugin::plugin) == linked.end())
    return;
  accused->Kill(fmt::format("sent {} a malformed message", reporter.name().text));
}

void Fleet::OnReady(Instance& instance) {
  if (stopping_) return;
  if (barrier_passed_) {
    Announce(instance);
  } else {
    PassBarrier();
  }
  CheckAllReady();
}

void Fleet::OnDied(Instance& instance, const Error& why) {
  if (stopping_) {
    hooks_.on_died(instance);
    return instance.Drain(milliseconds{0}, AfterDrain::kHold);
  }
  if (why.fault == Fault::kConfig && !all_were_ready_) return hooks_.on_died_of_config(why);
  Log(LogLevel::kError, "worker-died", {{"instance", instance.name().text}, {"why", why.text}});
  hooks_.on_died(instance);
  TellDown(instance);
  PassBarrier();
}

void Fleet::OnStopped(Instance& instance) {
  hooks_.on_died(instance);
  if (stopping_) return CheckAllDrained();
  const std::string name = instance.name().text;
  if (IsWanted(instance)) {
    // Retired and wanted again before it had ended.
    if (!drained_by_operator_.contains(name)) return instance.Start();
    TellLinked(instance, IsReplaced(instance));
    return sockets_.CloseInstance({instance.name().plugin, instance.name().index});
  }
  TellGone(instance);
  birth_rights_.erase(name);
  drained_by_operator_.erase(name);
  loop_.Post([this, name] {
    if (Instance* const gone = Find(name); gone != nullptr && !IsWanted(*gone))
      instances_.erase(name);
  });
}

void Fleet::CheckAllReady() {
  if (all_were_ready_ || stopping_) return;
  for (const auto& instance : instances_ | std::views::values)
    if (instance->state() != InstanceState::kReady) return;
  all_were_ready_ = true;
  hooks_.on_all_ready();
}

// --- what the operator asks for

Result<void> Fleet::Restart(std::string_view instance) {
  Instance* const found = Find(instance);
  if (found == nullptr || !IsWanted(*found))
    return BadConfig(fmt::format("no worker named '{}'; `worker list` names them", instance));
  if (drained_by_operator_.erase(found->name().text) > 0) {
    const auto is_out = [this](const ListeningSockets::Instance& other) {
      return drained_by_operator_.contains(InstanceName(other.first, other.second));
    };
    if (auto opened = sockets_.Open(plan_, is_out); !opened) {
      drained_by_operator_.insert(found->name().text);
      return Trouble(fmt::format("{}: {}", opened.error().key, opened.error().what));
    }
  }
  found->Drain(kRestartDrain, AfterDrain::kRestart);
  return {};
}

Result<void> Fleet::Drain(std::string_view instance) {
  Instance* const found = Find(instance);
  if (found == nullptr || !IsWanted(*found))
    return BadConfig(fmt::format("no worker named '{}'; `worker list` names them", instance));
  drained_by_operator_.insert(found->name().text);
  found->Drain(kRetireDrain, AfterDrain::kStop);
  return {};
}

Result<void> Fleet::Scale(const std::string& plugin, unsigned count) {
  Plan plan = plan_;
  const auto pool = std::ranges::find(plan.pools, plugin, &PoolPlan::name);
  if (pool == plan.pools.end())
    return BadConfig(fmt::format("no plugin named '{}' runs; `worker list` names them", plugin));
  if (count < 1 || count > kMaxInstances)
    return BadConfig(
        fmt::format("{} instances are not possible; 1 to {} are", count, kMaxInstances));
  if (!pool->kind.scalable() && count != 1)
    return BadConfig(fmt::format("there can be only one {}", plugin));
  pool->count = count;
  if (auto applied = Apply(std::move(plan)); !applied)
    return Trouble(fmt::format("{}: {}", applied.error().key, applied.error().what));
  return {};
}

void Fleet::StopAll(milliseconds limit) {
  stopping_ = true;
  for (const auto& instance : instances_ | std::views::values)
    instance->Drain(limit, AfterDrain::kHold);
  CheckAllDrained();
}

// Nobody ends before everybody has drained: what one still holds, another must settle.
void Fleet::CheckAllDrained() {
  if (!stopping_) return;
  bool all_stopped = true;
  for (const auto& instance : instances_ | std::views::values) {
    const InstanceState state = instance->state();
    all_stopped = all_stopped && state == InstanceState::kStopped;
    if (state == InstanceState::kReady || state == InstanceState::kStarting ||
        state == InstanceState::kDraining || state == InstanceState::kWaiting)
      return;
  }
  if (all_stopped) return hooks_.on_all_stopped();
  for (const auto& instance : instances_ | std::views::values)
    if (instance->state() == InstanceState::kDrained) instance->End();
}

}  // namespace gatehouse
