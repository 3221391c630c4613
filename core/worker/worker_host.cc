#include "core/worker/worker_host.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/log.h"
#include "core/base/process_resources.h"
#include "core/base/utf8_check.h"
#include "core/worker/lifeline.h"
#include "core/worker/plugin_loader.h"
#include "core/worker/sandbox.h"
#include "proto/stanza.pb.h"

namespace gatehouse {
namespace {

// Far less than the supervisor waits for a pong.
constexpr milliseconds kBetweenPings{200};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void MeasureProcess(Metrics& metrics) {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    metrics.Value("gatehouse_worker_cpu_seconds_total") =
        Seconds(used.ru_utime) + Seconds(used.ru_stime);
  metrics.Value("gatehouse_worker_resident_bytes") = static_cast<double>(ResidentBytes());
}

}  // namespace

WorkerHost::WorkerHost(WorkerConfig config, std::unique_ptr<Loop> loop)
    : config_(std::move(config)), loop_(std::move(loop)) {}

WorkerHost::~WorkerHost() = default;

Result<std::unique_ptr<WorkerHost>> WorkerHost::Create(WorkerConfig config) {
  GATEHOUSE_TRY(std::unique_ptr<Loop> loop, Loop::Create());
  std::unique_ptr<WorkerHost> host(new WorkerHost(std::move(config), std::move(loop)));  // NOLINT
  GATEHOUSE_TRY_VOID(host->Connect());
  return host;
}

Result<void> WorkerHost::Connect() {
  GATEHOUSE_TRY(zmq_, ipc::ZmqContext::Create());
  GATEHOUSE_TRY(control_,
                ipc::ControlClient::Create(
                    *loop_, *zmq_, config_.control_address(), config_.instance(), config_.epoch(),
                    [this](const proto::FromSupervisor& word) { OnWord(word); }));
  GATEHOUSE_TRY(lifeline_, ReadableWatch::Create(*loop_, kLifelineFd, [this] { OnLifeline(); }));
  return {};
}

int WorkerHost::Run() {
  if (auto up = BringUp(); !up) {
    exit_status_ = up.error().fault == Fault::kConfig ? kExitConfig : kExitFailure;
    SendFatal(up.error().text);
    return exit_status_;
  }
  proto::FromWorker word;
  word.set_ready(true);
  Send(std::move(word));
  loop_->Run();
  return exit_status_;
}

Result<void> WorkerHost::BringUp() {
  GATEHOUSE_TRY(worker_, LoadWorker(config_.plugin_path(), config_.plugin()));
  GATEHOUSE_TRY_VOID(worker_->Prepare(config_));
  GATEHOUSE_TRY_VOID(GiveUpRights());
  links_.emplace(*loop_, *zmq_, metrics_, ipc::Identity{config_.instance(), config_.epoch()},
                 ipc::Links::Options{.conditions = {.lost = proto::INTERNAL_SERVER_ERROR,
                                                    .too_large = proto::POLICY_VIOLATION}},
                 [this](std::string_view instance, std::string_view what) {
                   ReportMalformed(instance, what);
                 });
  for (const proto::LinkEnd& end : config_.links()) {
    GATEHOUSE_TRY_VOID(links_->Open(end));
    away_since_.try_emplace(end.sibling_plugin(), loop_->Now());
  }
  return worker_->Start(*this);
}

Result<void> WorkerHost::GiveUpRights() {
  RaiseDescriptorLimit();
  LimitOwnMemory(WorkerMemoryMib(config_.config().limits().worker_memory_mib()));
  GATEHOUSE_TRY(
      const bool filtered,
      EnterSandbox(config_.may_use_network() ? NetworkRight::kInternet : NetworkRight::kNone));
  if (!filtered) Log(LogLevel::kWarning, "sandbox-missing", {{"why", "no seccomp in this kernel"}});
  return {};
}

void WorkerHost::OnWord(const proto::FromSupervisor& word) {
  using Body = proto::FromSupervisor::BodyCase;
  switch (word.body_case()) {
    case Body::kSiblingUp:
      return OnSiblingUp(word.sibling_up());
    case Body::kSiblingDown:
      return OnSiblingDown(word.sibling_down());
    case Body::kSiblingGone:
      OnSiblingDown(word.sibling_gone());
      return links_->SiblingGone(word.sibling_gone());
    case Body::kPing:
      return SendPong(word.ping());
    case Body::kDrain:
      return Drain();
    case Body::kReconfigure:
      return OnNewConfig(word.reconfigure());
    case Body::kCtl:
      return OnCtlRequest(word.ctl());
    case Body::kDnsHook:
      return OnDnsHook(word.dns_hook());
    case Body::BODY_NOT_SET:
      return Log(LogLevel::kWarning, "control-word-unknown");
  }
}

// Memory that is in use cannot be taken back: a lower limit waits for the next life.
void WorkerHost::OnNewConfig(const proto::Config& config) {
  const std::uint32_t before = WorkerMemoryMib(config_.config().limits().worker_memory_mib());
  *config_.mutable_config() = config;
  const std::uint32_t mib = WorkerMemoryMib(config.limits().worker_memory_mib());
  if (mib > before) LimitOwnMemory(mib);
  if (on_reconfigure_) reconfigured_ = on_reconfigure_(config_.config());
  if (!reconfigured_)
    Log(LogLevel::kError, "reconfigure-failed", {{"why", reconfigured_.error().text}});
}

void WorkerHost::OnSiblingUp(const proto::Sibling& sibling) {
  siblings_[sibling.instance()] = sibling;
  away_since_.erase(sibling.plugin());
  links_->SiblingUp(sibling);
}

void WorkerHost::OnSiblingDown(const proto::Sibling& sibling) {
  siblings_.erase(sibling.instance());
  const auto is_like_it = [&](const auto& other) {
    return other.second.plugin() == sibling.plugin();
  };
  if (std::ranges::none_of(siblings_, is_like_it))
    away_since_.try_emplace(sibling.plugin(), loop_->Now());
}

milliseconds WorkerHost::AwayFor(std::string_view plugin) const {
  const auto found = away_since_.find(plugin);
  if (found == away_since_.end()) return milliseconds{0};
  return std::chrono::floor<milliseconds>(loop_->Now() - found->second);
}

void WorkerHost::OnCtlRequest(const proto::CtlRequest& request) {
  const auto answer = [this, id = request.id()](proto::CtlResponse response) {
    response.set_id(id);
    proto::FromWorker word;
    // What a library says of a damaged file may quote its octets.
    response.set_error(AsUtf8(response.error()));
    *word.mutable_ctl() = std::move(response);
    Send(std::move(word));
  };
  proto::CtlResponse refused;
  if (request.has_reload()) {  // the configuration came ahead, over the same link
    if (reconfigured_) return answer({});
    refused.set_exit_code(1);
    refused.set_error(reconfigured_.error().text);
    return answer(std::move(refused));
  }
  if (on_ctl_) return on_ctl_(request, answer);
  refused.set_exit_code(1);
  refused.set_error(fmt::format("{} takes no commands", config_.instance()));
  answer(std::move(refused));
}

void WorkerHost::OnLifeline() {
  std::array<char, 64> bytes{};
  const ssize_t got = ::read(kLifelineFd, bytes.data(), bytes.size());
  if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) return;
  lifeline_.reset();
  loop_->Stop();
}

void WorkerHost::Drain() {
  if (draining_) return;
  draining_ = true;
  worker_->Drain([this] {
    proto::FromWorker word;
    word.set_drained(true);
    Send(std::move(word));
  });
}

void WorkerHost::SendPong(std::uint64_t ping) {
  MeasureProcess(metrics_);
  proto::FromWorker word;
  proto::Pong& pong = *word.mutable_pong();
  pong.set_ping(ping);
  pong.set_queue_depth(links_->unsettled());
  metrics_.ForEach([&pong](const std::string& name, const std::string& labels, double value) {
    proto::Counter& counter = *pong.add_counters();
    counter.set_name(name);
    counter.set_labels(labels);
    counter.set_value(value);
  });
  Send(std::move(word));
}

void WorkerHost::SendFatal(const std::string& why) {
  proto::FromWorker word;
  word.set_fatal(why);
  Send(std::move(word));
}

// A word that cannot be sent has no reader: the supervisor is gone, and the lifeline says so.
void WorkerHost::Send(proto::FromWorker word) {
  if (auto sent = control_->Send(std::move(word)); !sent)
    Log(LogLevel::kWarning, "control-word-lost", {{"why", sent.error().text}});
}

ipc::AskClient* WorkerHost::AskLinkTo(std::string_view plugin) {
  return links_->AskLinkTo(plugin);
}

void WorkerHost::AnswerAsks(ipc::AskServer::Handler handler) {
  links_->AnswerAsks(std::move(handler));
}

ipc::DataLinkSet* WorkerHost::DataLinksWith(std::string_view plugin) {
  return links_->DataLinksWith(plugin);
}

void WorkerHost::ReportMalformed(std::string_view instance, std::string_view what) {
  metrics_.Value("gatehouse_malformed_sibling_messages_total") += 1;
  Log(LogLevel::kError, "sibling-malformed", {{"instance", instance}, {"what", what}});
  links_->Close(instance);
  const auto known = siblings_.find(instance);
  if (known == siblings_.end()) return;
  proto::FromWorker word;
  *word.mutable_restart_sibling() = known->second;
  Send(std::move(word));
}

void WorkerHost::OnCtl(std::function<void(const proto::CtlRequest&, CtlAnswer)> handler) {
  on_ctl_ = std::move(handler);
}

void WorkerHost::OnReconfigure(Reconfigure handler) {
  on_reconfigure_ = std::move(handler);
}

// The loop's clock stands still meanwhile.
void WorkerHost::StillBusy() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (now - pings_taken_ < kBetweenPings) return;
  pings_taken_ = now;
  control_->TakePings([this](std::uint64_t ping) { SendPong(ping); });
}

void WorkerHost::CallDnsHook(const proto::DnsHookCall& call,
                             std::function<void(Result<void>)> done) {
  proto::FromWorker word;
  proto::DnsHookCall& numbered = *word.mutable_dns_hook();
  numbered = call;
  numbered.set_id(++last_dns_hook_);
  dns_hooks_.emplace(last_dns_hook_, std::move(done));
  Send(std::move(word));
}

void WorkerHost::OnDnsHook(const proto::DnsHookResult& result) {
  if (result.epoch() != config_.epoch()) return;  // an earlier life asked
  const auto found = dns_hooks_.extract(result.id());
  if (!found) return;
  found.mapped()(result.error().empty() ? Result<void>() : Trouble(result.error()));
}

void WorkerHost::Fail(std::string_view why) {
  SendFatal(std::string(why));
  exit_status_ = kExitFailure;
  loop_->Stop();
}

}  // namespace gatehouse
