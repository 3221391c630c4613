#include "core/supervisor/instance.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <csignal>
#include <utility>

#include "core/base/log.h"
#include "core/worker/lifeline.h"

namespace gatehouse {
namespace {

// A word said just before the end comes by another way than the news of the end.
constexpr milliseconds kLastWordTime{50};

std::uint64_t RandomEpoch() {
  std::uint64_t epoch = 0;
  while (epoch == 0)
    GATEHOUSE_CHECK(::getrandom(&epoch, sizeof epoch, 0) == static_cast<ssize_t>(sizeof epoch));
  return epoch;
}

}  // namespace

std::string_view StateName(InstanceState state) {
  switch (state) {
    case InstanceState::kStarting:
      return "starting";
    case InstanceState::kReady:
      return "ready";
    case InstanceState::kDraining:
    case InstanceState::kDrained:
    case InstanceState::kEnding:
      return "draining";
    case InstanceState::kWaiting:
      return "waiting";
    case InstanceState::kStopped:
      return "stopped";
  }
  return "unknown";
}

Instance::Instance(Loop& loop, Name name, Hooks hooks)
    : loop_(loop),
      name_(std::move(name)),
      hooks_(std::move(hooks)),
      limit_(loop, [this] { OnTimer(); }),
      pings_(loop, [this] { OnPingDue(); }),
      burial_(loop, [this] { Bury(); }) {}

Instance::~Instance() {
  if (worker_.process != nullptr) worker_.process->Kill(SIGKILL);
}

bool Instance::IsUp() const {
  return state_ == InstanceState::kReady || state_ == InstanceState::kDraining ||
         state_ == InstanceState::kDrained;
}

int Instance::pid() const {
  return worker_.process != nullptr ? worker_.process->pid() : 0;
}

milliseconds Instance::Uptime() const {
  if (worker_.process == nullptr) return milliseconds{0};
  return std::chrono::duration_cast<milliseconds>(loop_.Now() - started_);
}

void Instance::Begin(InstanceState state, std::optional<milliseconds> limit) {
  state_ = state;
  limit_.Stop();
  if (limit) limit_.Start(*limit);
}

void Instance::Start() {
  epoch_ = RandomEpoch();
  started_ = loop_.Now();
  exit_.reset();
  fatal_.clear();
  last_pong_.Clear();
  Begin(InstanceState::kStarting, kStartLimit);
  auto spawned = hooks_.spawn(*this, [this](ChildProcess::Exit exit) { OnExit(exit); });
  if (!spawned) return Mourn(spawned.error());
  worker_ = *std::move(spawned);
}

void Instance::OnWord(const proto::FromWorker& word) {
  if (word.epoch() != epoch_) return;  // of a dead life
  using Body = proto::FromWorker::BodyCase;
  switch (word.body_case()) {
    case Body::kReady:
      return OnReady();
    case Body::kPong:
      return OnPong(word.pong());
    case Body::kDrained:
      if (state_ == InstanceState::kDraining) OnDrained();
      return;
    case Body::kFatal:
      fatal_ = word.fatal();
      return;
    case Body::kRestartSibling:
    case Body::kCtl:
    case Body::kDnsHook:
    case Body::BODY_NOT_SET:
      return;  // the supervisor's
  }
}

void Instance::OnReady() {
  if (state_ != InstanceState::kStarting) return;
  has_tried_ = true;
  rule_.OnReady();
  unanswered_ = 0;
  Begin(InstanceState::kReady, std::nullopt);
  pings_.StartRepeating(kPingEvery);
  Log(LogLevel::kInfo, "worker-ready",
      {{"instance", name_.text},
       {"pid", std::int64_t{pid()}},
       {"ms", std::int64_t{Uptime().count()}}});
  hooks_.on_ready(*this);
}

void Instance::OnPong(const proto::Pong& pong) {
  if (pong.ping() != ping_) return;  // a late one; the newest is still awaited
  unanswered_ = 0;
  last_pong_ = pong;
  hooks_.on_pong(*this);
}

void Instance::OnPingDue() {
  if (unanswered_ >= kMissedPings)
    return Kill(fmt::format("{} pings without an answer", unanswered_));
  Ping();
}

void Instance::Ping() {
  ++unanswered_;
  proto::FromSupervisor word;
  word.set_ping(++ping_);
  hooks_.say(*this, word);
}

void Instance::Drain(milliseconds limit, AfterDrain then) {
  after_ = then;
  switch (state_) {
    case InstanceState::kReady: {
      Begin(InstanceState::kDraining, limit);
      proto::FromSupervisor word;
      word.set_drain(true);
      return hooks_.say(*this, word);
    }
    case InstanceState::kDraining:
      return Begin(InstanceState::kDraining, limit);
    case InstanceState::kStarting:
    case InstanceState::kDrained:
      return End();
    case InstanceState::kEnding:
      return;
    case InstanceState::kWaiting:
    case InstanceState::kStopped:
      if (then == AfterDrain::kRestart) return Start();
      Begin(InstanceState::kStopped, std::nullopt);
      return hooks_.on_stopped(*this);
  }
}

void Instance::OnDrained() {
  if (after_ != AfterDrain::kHold) return End();
  Begin(InstanceState::kDrained, std::nullopt);
  hooks_.on_drained(*this);
}

void Instance::End() {
  if (worker_.process == nullptr) return;
  pings_.Stop();
  Begin(InstanceState::kEnding, kEndLimit);
  worker_.lifeline.Reset();
}

void Instance::Kill(std::string_view why) {
  if (worker_.process == nullptr) return;
  Log(LogLevel::kWarning, "worker-killed", {{"instance", name_.text}, {"why", why}});
  worker_.process->Kill(SIGKILL);
}

void Instance::OnTimer() {
  switch (state_) {
    case InstanceState::kStarting:
      return Kill(fmt::format("not ready after {} s", kStartLimit.count() / 1000));
    case InstanceState::kDraining:
      Log(LogLevel::kWarning, "drain-incomplete", {{"instance", name_.text}});
      return OnDrained();
    case InstanceState::kEnding:
      return Kill("did not end with its lifeline");
    case InstanceState::kWaiting:
      return Start();
    case InstanceState::kReady:
    case InstanceState::kDrained:
    case InstanceState::kStopped:
      return;
  }
}

void Instance::OnExit(ChildProcess::Exit exit) {
  exit_ = exit;
  const bool said_all = exit.signal != 0 || !fatal_.empty() || state_ == InstanceState::kEnding;
  if (said_all) return Bury();
  burial_.Start(kLastWordTime);
}

Error Instance::WhyDied() const {
  if (exit_->signal != 0)
    return {Fault::kTrouble, fmt::format("{}: killed by signal {}", name_.text, exit_->signal)};
  const Fault fault = exit_->status == kExitConfig ? Fault::kConfig : Fault::kTrouble;
  if (!fatal_.empty()) return {fault, fmt::format("{}: {}", name_.text, fatal_)};
  return {fault, fmt::format("{}: ended with status {}", name_.text, exit_->status)};
}

void Instance::Bury() {
  pings_.Stop();
  worker_.lifeline.Reset();
  worker_.process.reset();
  unanswered_ = 0;
  const bool asked = state_ == InstanceState::kDraining || state_ == InstanceState::kDrained ||
                     state_ == InstanceState::kEnding;
  if (!asked) return Mourn(WhyDied());
  if (after_ == AfterDrain::kRestart) {
    ++restarts_;
    return Start();
  }
  Begin(InstanceState::kStopped, std::nullopt);
  hooks_.on_stopped(*this);
}

void Instance::Mourn(const Error& why) {
  const bool was_ready = state_ == InstanceState::kReady;
  has_tried_ = true;
  ++restarts_;
  const milliseconds wait =
      rule_.AfterDeath(was_ready ? DiedWhen::kAfterReady : DiedWhen::kBeforeReady, loop_.Now());
  Begin(InstanceState::kWaiting, wait);
  hooks_.on_died(*this, why);
}

}  // namespace gatehouse
