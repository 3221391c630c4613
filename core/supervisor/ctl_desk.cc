#include "core/supervisor/ctl_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/config/check_acme.h"
#include "core/supervisor/command_route.h"
#include "core/supervisor/status_notices.h"

namespace gatehouse {
namespace {

constexpr milliseconds kTickEvery{50};
constexpr std::string_view kRenewal = "the renewal";  // among the pongs that are awaited

proto::CtlResponse Refused(std::string why) {
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.set_error(std::move(why));
  return response;
}

proto::CtlResponse Done(std::string what) {
  proto::CtlResponse response;
  response.set_done(std::move(what));
  return response;
}

proto::CtlResponse Answer(const Result<void>& result, std::string what) {
  return result ? Done(std::move(what)) : Refused(result.error().text);
}

proto::WorkerStatus StatusOf(const Instance& instance) {
  proto::WorkerStatus status;
  status.set_name(instance.name().text);
  status.set_plugin(instance.name().plugin);
  status.set_index(instance.name().index);
  status.set_pid(instance.pid());
  status.set_state(std::string(StateName(instance.state())));
  status.set_restarts(instance.restarts());
  status.set_uptime_ms(static_cast<std::uint64_t>(instance.Uptime().count()));
  status.set_queue_depth(instance.last_pong().queue_depth());
  for (const proto::Counter& counter : instance.last_pong().counters()) {
    proto::CounterValue& value = *status.add_counters();
    value.set_name(counter.name());
    value.set_labels(counter.labels());
    value.set_value(counter.value());
  }
  return status;
}

proto::CtlResponse MergeReloads(std::span<const WorkersAnswer> answers) {
  std::vector<std::string> objections;
  for (const WorkersAnswer& answer : answers)
    if (answer.response.exit_code() != 0)
      objections.push_back(fmt::format("{}: {}", answer.instance, answer.response.error()));
  if (objections.empty()) return Done("reloaded");
  return Refused(
      fmt::format("reloaded, but not by every worker; {}; what could not be taken stays "
                  "as it was",
                  fmt::join(objections, "; ")));
}

std::string_view PluginOf(std::string_view instance) {
  return instance.substr(0, instance.find('/'));
}

std::string HowToConfigure(std::string_view plugin) {
  return fmt::format(
      "put '- plugin: {}' below workers{} in gatehouse.yaml, then: gatehousectl reload", plugin,
      plugin == kAcmeWorker ? " and a section acme" : "");
}

std::uint64_t Sum(const proto::StatusReport& report, std::string_view counter) {
  double sum = 0;
  for (const proto::WorkerStatus& worker : report.workers())
    for (const proto::CounterValue& value : worker.counters())
      if (value.name() == counter) sum += value.value();
  return static_cast<std::uint64_t>(std::max(sum, 0.0));
}

}  // namespace

CtlDesk::CtlDesk(Loop& loop, Fleet& fleet, Hooks hooks)
    : loop_(loop), fleet_(fleet), hooks_(std::move(hooks)), tick_(loop, [this] { Tick(); }) {}

void CtlDesk::OnRequest(const proto::CtlRequest& request, Reply reply) {
  using Command = proto::CtlRequest::CommandCase;
  const CommandRoute* const route = FindRoute(request.command_case());
  if (route != nullptr && !route->plugin.empty())
    return Forward(InstanceName(route->plugin, 0), request, std::move(reply), route->limit);
  switch (static_cast<int>(request.command_case())) {
    case Command::kStatus:
      return Gather(std::move(reply));
    case Command::kWorker:
      return OnWorkerCommand(request.worker(), std::move(reply));
    case Command::kScale:
      return OnScale(request.scale(), reply);
    case Command::kStop:
      reply(Done("stopping"));
      return hooks_.stop(seconds(request.stop().drain_s()));
    case Command::kWhy:
      return AskWhy(request, std::move(reply));
    case Command::kReload:
      return OnReload(request, std::move(reply));
    default:
      return reply(Refused("this gatehoused does not know the command; is it of another version?"));
  }
}

void CtlDesk::OnWorkerCommand(const proto::WorkerCommand& command, Reply reply) {
  if (command.verb() == proto::WorkerCommand::LIST) return Gather(std::move(reply));
  const bool restarts = command.verb() == proto::WorkerCommand::RESTART;
  const Instance* const instance = fleet_.Find(command.name());
  const std::uint64_t epoch = instance != nullptr ? instance->epoch() : 0;
  const auto begun = restarts ? fleet_.Restart(command.name()) : fleet_.Drain(command.name());
  if (!begun) return reply(Refused(begun.error().text));
  pending_.push_back({.instance = command.name(),
                      .old_epoch = epoch,
                      .goal = restarts ? InstanceState::kReady : InstanceState::kStopped,
                      .reply = std::move(reply),
                      .deadline = loop_.Now() + (restarts ? kRestartLimit : kDrainLimit)});
  tick_.StartRepeating(kTickEvery);
}

void CtlDesk::OnScale(const proto::WorkerScale& scale, const Reply& reply) {
  reply(Answer(
      fleet_.Scale(scale.plugin(), scale.count()),
      fmt::format("{}: {} configured until the next reload", scale.plugin(), scale.count())));
}

// --- commands of the workers

void CtlDesk::Forward(const std::string& instance, proto::CtlRequest request, Reply reply,
                      milliseconds limit) {
  const Instance* const to = fleet_.Find(instance);
  if (to == nullptr)
    return reply(Refused(fmt::format("{} answers this and is not configured; {}", instance,
                                     HowToConfigure(PluginOf(instance)))));
  if (to->state() == InstanceState::kStopped)
    return reply(Refused(
        fmt::format("{} answers this and is stopped; start it with: gatehousectl worker restart {}",
                    instance, instance)));
  if (to->state() != InstanceState::kReady)
    return reply(Refused(fmt::format("{} answers this and is {}; try again in a moment", instance,
                                     StateName(to->state()))));
  request.set_id(next_id_++);
  forwarded_.emplace(request.id(), Forwarded{instance, std::move(reply), loop_.Now() + limit, limit,
                                             DoubtOver(request)});
  proto::FromSupervisor word;
  *word.mutable_ctl() = std::move(request);
  hooks_.say(*to, word);
  tick_.StartRepeating(kTickEvery);
}

void CtlDesk::OnAnswer(const std::string& instance, const proto::CtlResponse& response) {
  const auto found = forwarded_.find(response.id());
  if (found == forwarded_.end() || found->second.instance != instance) return;
  const Reply reply = std::move(found->second.reply);
  forwarded_.erase(found);
  reply(response);
  AnswerGathered();
}

// What its asker is to know of one that was lost.
proto::CtlResponse CtlDesk::Lost(const Forwarded& lost, std::string_view how) {
  std::string why = fmt::format("{} {}", lost.instance, how);
  if (!lost.doubt.empty()) why += fmt::format(", {}", lost.doubt);
  return Refused(std::move(why));
}

void CtlDesk::OnDied(const Instance& instance) {
  std::erase_if(forwarded_, [&instance](auto& entry) {
    if (entry.second.instance != instance.name().text) return false;
    entry.second.reply(Lost(entry.second, "died over it"));
    return true;
  });
  for (Gathering& one : gathering_) one.awaited.erase(instance.name().text);
  AnswerGathered();
}

// --- what several workers are asked

void CtlDesk::AskEach(const std::vector<std::string>& instances, const proto::CtlRequest& request,
                      milliseconds limit, Merge merge, Reply reply) {
  if (instances.empty()) return reply(merge({}));
  const std::uint64_t number = next_asked_++;
  asked_.emplace(number, Asked{instances.size(), {}, std::move(merge), std::move(reply)});
  for (const std::string& instance : instances)
    Forward(
        instance, request,
        [this, number, instance](proto::CtlResponse response) {
          OnOneAnswered(number, instance, std::move(response));
        },
        limit);
}

void CtlDesk::OnOneAnswered(std::uint64_t number, const std::string& instance,
                            proto::CtlResponse response) {
  const auto found = asked_.find(number);
  if (found == asked_.end()) return;
  found->second.answers.push_back({instance, std::move(response)});
  if (--found->second.awaited > 0) return;
  const Asked done = std::move(found->second);
  asked_.erase(found);
  done.reply(done.merge(done.answers));
}

// A worker that is not ready is asked all the same: the answer for it says so.
void CtlDesk::AskWhy(const proto::CtlRequest& request, Reply reply) {
  std::vector<std::string> instances;
  fleet_.ForEach([&instances](const Instance& instance) {
    const bool remembers = std::ranges::find(kRefusers, instance.name().plugin) != kRefusers.end();
    if (remembers && instance.state() != InstanceState::kStopped)
      instances.push_back(instance.name().text);
  });
  AskEach(
      instances, request, kWhyLimit,
      [why = request.why()](std::span<const WorkersAnswer> answers) {
        return MergeRefusals(why, answers);
      },
      std::move(reply));
}

// Who is not ready takes the new configuration when it starts.
void CtlDesk::OnReload(const proto::CtlRequest& request, Reply reply) {
  if (const auto reloaded = hooks_.reload(); !reloaded)
    return reply(Refused(reloaded.error().text));
  std::vector<std::string> instances;
  fleet_.ForEach([&instances](const Instance& instance) {
    if (instance.state() == InstanceState::kReady) instances.push_back(instance.name().text);
  });
  AskEach(instances, request, kReloadLimit, MergeReloads, std::move(reply));
}

// --- status

void CtlDesk::Gather(Reply reply) {
  Gathering one{.number = next_gathering_++,
                .awaited = {},
                .renewal = {},
                .reply = std::move(reply),
                .deadline = loop_.Now() + kFreshPongs};
  fleet_.ForEach([&one](Instance& instance) {
    if (instance.state() == InstanceState::kReady && !instance.AwaitsPong()) {
      instance.Ping();
      one.awaited.insert(instance.name().text);
    }
  });
  const std::uint64_t number = one.number;
  gathering_.push_back(std::move(one));
  AskForRenewal(number);
  tick_.StartRepeating(kTickEvery);
  AnswerGathered();
}

// Why ACME fails is in no counter.
void CtlDesk::AskForRenewal(std::uint64_t number) {
  const std::string acme = InstanceName(kAcmeWorker, 0);
  const Instance* const instance = fleet_.Find(acme);
  if (instance == nullptr || instance->state() != InstanceState::kReady) return;
  gathering_.back().awaited.emplace(kRenewal);
  proto::CtlRequest request;
  request.mutable_certificate_renewal_get();
  Forward(
      acme, std::move(request),
      [this, number](const proto::CtlResponse& response) {
        for (Gathering& one : gathering_) {
          if (one.number != number) continue;
          one.awaited.erase(std::string(kRenewal));
          if (response.has_renewal()) one.renewal = response.renewal();
        }
      },
      kFreshPongs);
}

void CtlDesk::OnPong(const Instance& instance) {
  for (Gathering& one : gathering_) one.awaited.erase(instance.name().text);
  AnswerGathered();
}

void CtlDesk::AnswerGathered() {
  gathering_.remove_if([this](const Gathering& one) {
    if (!one.awaited.empty() && loop_.Now() < one.deadline) return false;
    proto::CtlResponse response;
    *response.mutable_status() = Report(one);
    one.reply(std::move(response));
    return true;
  });
}

proto::StatusReport CtlDesk::Report(const Gathering& one) const {
  proto::StatusReport report;
  report.set_version(GATEHOUSE_VERSION);
  for (const proto::Domain& domain : fleet_.plan().config.domains())
    report.add_domains(domain.name());
  report.set_sip_host(fleet_.plan().config.sip().host());
  *report.mutable_dns_servers() = fleet_.plan().config.dns().servers();
  for (const ListeningSockets::Listener& listener : fleet_.sockets().All()) {
    proto::ListenerStatus& status = *report.add_listeners();
    status.set_kind(listener.kind);
    status.set_address(listener.address);
  }
  fleet_.ForEach(
      [&report](const Instance& instance) { *report.add_workers() = StatusOf(instance); });
  report.set_streams(Sum(report, "gatehouse_streams"));
  report.set_partners(Sum(report, "gatehouse_policy_partners"));
  for (std::string& notice : StatusNotices(fleet_.plan().config, report,
                                           one.renewal ? &*one.renewal : nullptr, UnixNow()))
    report.add_notices(std::move(notice));
  return report;
}

// --- what waits

void CtlDesk::Tick() {
  AnswerGathered();
  AnswerPending();
  DropLate();
  if (gathering_.empty() && pending_.empty() && forwarded_.empty()) tick_.Stop();
}

void CtlDesk::AnswerPending() {
  pending_.remove_if([this](const Pending& one) {
    const Instance* const instance = fleet_.Find(one.instance);
    const InstanceState state = instance != nullptr ? instance->state() : InstanceState::kStopped;
    const bool new_life = instance == nullptr || instance->epoch() != one.old_epoch;
    const bool reached = state == one.goal && (one.goal == InstanceState::kStopped || new_life);
    if (!reached && loop_.Now() < one.deadline) return false;
    one.reply(reached ? Done(fmt::format("{} is {}", one.instance, StateName(state)))
                      : Refused(fmt::format("{} is still {}; `worker list` shows how it goes on",
                                            one.instance, StateName(state))));
    return true;
  });
}

void CtlDesk::DropLate() {
  std::erase_if(forwarded_, [now = loop_.Now()](auto& entry) {
    if (now < entry.second.deadline) return false;
    const auto limit = std::chrono::duration_cast<seconds>(entry.second.limit);
    entry.second.reply(
        Lost(entry.second, fmt::format("did not answer within {} s", limit.count())));
    return true;
  });
}

}  // namespace gatehouse
