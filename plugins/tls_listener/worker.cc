// tls_listener: every XMPP socket in and out, TLS keys, expat, stream state. Chapters 2 and 3.
#include "core/worker/worker.h"

#include <malloc.h>

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/message_arena.h"
#include "core/base/process_resources.h"
#include "core/loop/accept_gate.h"
#include "core/loop/owned_fd.h"
#include "core/loop/tcp_stream.h"
#include "core/loop/timer.h"
#include "core/policy/certificate_client.h"
#include "core/policy/certificate_notice.h"
#include "core/policy/own_domains.h"
#include "core/policy/snapshot_client.h"
#include "core/worker/plugin_abi.h"
#include "plugins/tls_listener/edge_usage.h"
#include "plugins/tls_listener/inbound_streams.h"
#include "plugins/tls_listener/listener_tls.h"
#include "plugins/tls_listener/memory_level.h"
#include "plugins/tls_listener/outbound_pairs.h"
#include "plugins/tls_listener/stranger_watch.h"
#include "plugins/tls_listener/stream_refusals.h"
#include "plugins/tls_listener/stream_reports.h"
#include "plugins/tls_listener/synthetic_streams.h"

namespace gatehouse {
namespace {

constexpr milliseconds kDrainCheck{50};
constexpr milliseconds kMemoryCheck{1000};
constexpr seconds kAwayLimit{10};  // 2.10, internal-server-error
// How long a draining listener still sends for the translator. With it a restart, which may drain
// for 5 s, has time left to send what is queued.
constexpr milliseconds kSettleLimit{3000};
constexpr seconds kOwnStanzaLimit{60};

std::vector<SocketAddress> OwnAddresses(const WorkerConfig& config) {
  std::vector<SocketAddress> own;
  for (const proto::ListenSocket& listener : config.listeners())
    if (auto address = SocketAddress::Parse(listener.address())) own.push_back(*address);
  return own;
}

}  // namespace

class TlsListenerWorker final : public Worker {
 public:
  TlsListenerWorker() = default;
  TlsListenerWorker(const TlsListenerWorker&) = delete;
  TlsListenerWorker& operator=(const TlsListenerWorker&) = delete;
  ~TlsListenerWorker() override {
    for (EarlyOffer& early : early_offers_) early.ticket.Abandon();
  }
  Result<void> Prepare(const WorkerConfig& config) override {
    GATEHOUSE_TRY(domains_, OwnDomains(config.config()));
    GATEHOUSE_TRY(from_files_, ListenerTls::Read(config.config(), domains_));
    return {};
  }
  Result<void> Start(WorkerContext& context) override;
  void Drain(std::function<void()> drained) override;

 private:
  Result<void> FindLinks();
  void MakeHalves();
  void MakeSyntheticStreams();
  [[nodiscard]] proto::Usage OwnUsage() const;
  void UseConfig(const proto::Config& config);
  void OnSnapshot(PolicyPointer policy);
  void OnCertificate();
  void UseTls();
  [[nodiscard]] bool IsProvided() const;
  void BeginOnceProvided();
  Result<void> OpenAcceptors();
  void CheckMemory();
  Result<void> OnReconfigure(const proto::Config& config);
  // An offer that came before the first snapshot and certificate: without them it can be neither
  // sent nor refused.
  struct EarlyOffer {
    std::string instance, body;
    Deadline expires;
    ipc::Ticket ticket;
  };
  void OnOffer(const ipc::Received& received, ipc::Ticket ticket);
  void TakeOffer(std::string_view instance, std::string_view body, Deadline expires,
                 ipc::Ticket ticket);
  void OnCtl(const proto::CtlRequest& request, WorkerContext::CtlAnswer answer);
  void CheckDrained();

  WorkerContext* context_ = nullptr;
  ipc::AskClient* verifier_ = nullptr;
  ipc::AskClient* engine_ = nullptr;
  ipc::DataLinkSet* translator_ = nullptr;
  std::vector<std::string> domains_;
  ListenerTls from_files_;
  std::unique_ptr<DnsLookup> dns_;
  std::optional<StreamReports> reports_;
  StreamRefusals refusals_{UnixNowMs};
  SteadyClock clock_;
  std::optional<StrangerWatch> strangers_;
  std::optional<StanzaIntake> intake_;
  std::optional<OutboundPairs> outbound_;
  std::optional<InboundStreams> inbound_;
  std::optional<EdgeUsage> usage_;
  std::optional<SyntheticStreams> synthetic_;  // of the first instance, as `test stream` is
  std::optional<SnapshotClient> snapshots_;
  PolicyPointer policy_;  // of the last snapshot
  std::optional<CertificateClient> certificates_;
  std::optional<AcceptGate> gate_;
  std::vector<std::unique_ptr<TcpAcceptor>> acceptors_;
  MemoryLevel memory_level_ = MemoryLevel::kCalm;
  std::optional<Timer> memory_check_;
  MessageArena offered_;  // one offer at a time
  std::optional<Timer> drain_check_;
  std::function<void()> drained_;
  std::vector<EarlyOffer> early_offers_;  // no more than the link's window
  TimePoint settle_end_{};
  bool outbound_drains_ = false;
  bool outbound_drained_ = false;
};

Result<void> TlsListenerWorker::Start(WorkerContext& context) {
  context_ = &context;
  GATEHOUSE_TRY_VOID(FindLinks());
  const proto::Config& config = context.config().config();
  const std::vector<std::string> servers(config.dns().servers().begin(),
                                         config.dns().servers().end());
  GATEHOUSE_TRY(dns_,
                DnsLookup::Create(context.loop(), servers, DnsTrustOf(config.dns().dnssec())));
  MakeHalves();
  UseConfig(config);
  translator_->OnOffers([this](const ipc::Received& received, ipc::Ticket ticket) {
    OnOffer(received, std::move(ticket));
  });
  context.OnCtl([this](const proto::CtlRequest& request, WorkerContext::CtlAnswer answer) {
    OnCtl(request, std::move(answer));
  });
  context.OnReconfigure([this](const proto::Config& changed) { return OnReconfigure(changed); });
  snapshots_.emplace(context, [this](PolicyPointer policy) { OnSnapshot(std::move(policy)); });
  certificates_.emplace(context, [this](const CertificateClient::Given&) { OnCertificate(); });
  return {};
}

Result<void> TlsListenerWorker::FindLinks() {
  verifier_ = context_->AskLinkTo("dialback_verifier");
  engine_ = context_->AskLinkTo("policy_engine");
  translator_ = context_->DataLinksWith("sip_translator");
  if (verifier_ == nullptr)
    return BadConfig("topology: tls_listener has no link to dialback_verifier");
  if (engine_ == nullptr) return BadConfig("topology: tls_listener has no link to policy_engine");
  if (translator_ == nullptr || translator_->size() == 0)
    return BadConfig("topology: tls_listener has no link to sip_translator");
  return {};
}

void TlsListenerWorker::MakeHalves() {
  reports_.emplace(context_->loop(), *engine_);
  const auto note_stream = [this](proto::StreamRecord record) { reports_->Add(std::move(record)); };
  const auto note_refusal = [this](const StreamRefusal& refusal) {
    return refusals_.Note(refusal);
  };
  intake_.emplace(StanzaIntake::Setup{
      .loop = context_->loop(),
      .metrics = context_->metrics(),
      .translator = translator_->At(0),
      .send_own =
          [this](const proto::OutboundStanza& own) {
            // What becomes of it concerns nobody any more; OutboundPairs counts it.
            ipc::Ticket ticket([](const ipc::Outcome&) {}, proto::INTERNAL_SERVER_ERROR);
            outbound_->Send(own, context_->loop().Now() + kOwnStanzaLimit, std::move(ticket));
          },
      .note_error = [this](std::string_view remote, const proto::Element& error,
                           Reason why) { return refusals_.NoteError(remote, error, why); }});
  outbound_.emplace(OutboundPairs::Setup{
      .loop = context_->loop(),
      .metrics = context_->metrics(),
      .dns = *dns_,
      .verifier = *verifier_,
      .own_addresses = OwnAddresses(context_->config()),
      .allow_loopback_targets = context_->config().config().dns().allow_loopback_targets(),
      .inbound_streams =
          [this](std::string_view id) {
            return inbound_->StreamsOf(id) + usage_->others().StreamsOf(id);
          },
      .note_stream = note_stream,
      .note_refusal = note_refusal,
      .intake = &*intake_});
  strangers_.emplace(clock_, *dns_, *engine_);
  inbound_.emplace(InboundStreams::Setup{
      .loop = context_->loop(),
      .metrics = context_->metrics(),
      .verifier = *verifier_,
      .intake = *intake_,
      .outbound_streams = [this](std::string_view id) { return outbound_->StreamsOf(id); },
      .others = [this]() -> const OtherListeners& { return usage_->others(); },
      .note_stream = note_stream,
      .note_refusal = note_refusal,
      .note_stranger =
          [this](proto::Stranger stranger) { strangers_->OnKnock(std::move(stranger), UnixNow()); },
      .is_away =
          [this](std::string_view plugin) { return context_->AwayFor(plugin) >= kAwayLimit; },
      .borrower = &*outbound_});
  usage_.emplace(EdgeUsage::Setup{.loop = context_->loop(),
                                  .engine = *engine_,
                                  .own = [this] { return OwnUsage(); },
                                  .on_told = [this] { inbound_->KeepToLimits(); }});
  if (context_->config().index() == 0) MakeSyntheticStreams();
}

void TlsListenerWorker::MakeSyntheticStreams() {
  synthetic_.emplace(SyntheticStreams::Setup{
      .loop = context_->loop(),
      .metrics = context_->metrics(),
      .test =
          [this](const std::string& domain, WorkerContext::CtlAnswer answer) {
            proto::TestStream test;
            test.set_domain(domain);
            outbound_->Test(test, std::move(answer));
          },
      .is_live =
          [this](const std::string& id) {
            return outbound_->StreamsOf(id) + usage_->others().StreamsOf(id) > 0;
          }});
}

proto::Usage TlsListenerWorker::OwnUsage() const {
  std::map<std::string, std::uint32_t, std::less<>> streams;
  const auto count = [&streams](std::string_view partner_id, std::size_t number) {
    const auto found = streams.try_emplace(std::string(partner_id)).first;
    found->second += static_cast<std::uint32_t>(number);
  };
  inbound_->ForEachProven(count);
  outbound_->ForEachStream([&count](std::string_view partner_id) { count(partner_id, 1); });
  proto::Usage usage;
  for (const auto& [id, number] : streams) {
    proto::PartnerUsage& partner = *usage.add_partners();
    partner.set_partner_id(id);
    partner.set_streams(number);
  }
  inbound_->AddUsage(usage);
  return usage;
}

void TlsListenerWorker::UseConfig(const proto::Config& config) {
  outbound_->SetDomains(domains_);
  inbound_->SetDomains(domains_);
  outbound_->SetLimits(config.limits());
  inbound_->SetLimits(config.limits());
}

// What the store has assigned goes before the files of gatehouse.yaml. Streams that are open keep
// what they were opened with.
void TlsListenerWorker::UseTls() {
  ListenerTls tls = from_files_;
  if (const auto& given = certificates_->current(); given.certificate) {
    Result<ListenerTls> showing = from_files_.Showing(*given.certificate);
    if (!showing)
      Log(LogLevel::kError, "certificate-unusable",
          {{"certificate", given.name}, {"why", showing.error().text}});
    else
      tls = *std::move(showing);
  }
  const bool has_one = tls.starttls->has_certificate();
  if (!has_one) Log(LogLevel::kWarning, "no-certificate", {{"why", kNoCertificate}});
  context_->metrics().Value(kNoCertificateMetric) = has_one ? 0 : 1;
  outbound_->SetTls(
      {.starttls = tls.starttls, .direct = tls.direct_client, .shows_certificate = has_one});
  inbound_->SetTls({.starttls = tls.starttls, .direct = tls.direct_server});
}

void TlsListenerWorker::OnCertificate() {
  UseTls();
  BeginOnceProvided();
}

void TlsListenerWorker::OnSnapshot(PolicyPointer policy) {
  refusals_.SetPolicy(policy);
  outbound_->SetPolicy(policy);
  inbound_->SetPolicy(policy);
  policy_ = std::move(policy);
  BeginOnceProvided();
}

bool TlsListenerWorker::IsProvided() const {
  return policy_ && certificates_ && certificates_->has_answer();
}

// Before it has its first snapshot, and knows which certificate is its own, a worker takes nothing
// from the network.
void TlsListenerWorker::BeginOnceProvided() {
  if (!IsProvided()) return;
  for (EarlyOffer& early : std::exchange(early_offers_, {}))
    TakeOffer(early.instance, early.body, early.expires, std::move(early.ticket));
  if (synthetic_ && !drained_) synthetic_->SetPolicy(policy_);
  if (!acceptors_.empty() || drained_) return;
  if (auto opened = OpenAcceptors(); !opened) context_->Fail(opened.error().text);
}

Result<void> TlsListenerWorker::OpenAcceptors() {
  gate_.emplace(context_->loop(), context_->metrics(), [this](bool accept) {
    for (const auto& acceptor : acceptors_)
      if (accept)
        acceptor->Resume();
      else
        acceptor->Pause();
  });
  memory_check_.emplace(context_->loop(), [this] { CheckMemory(); });
  memory_check_->StartRepeating(kMemoryCheck);
  for (const proto::ListenSocket& listener : context_->config().listeners()) {
    if (listener.kind() != proto::XMPP && listener.kind() != proto::XMPPS) continue;
    const bool direct = listener.kind() == proto::XMPPS;
    GATEHOUSE_TRY(auto acceptor,
                  TcpAcceptor::Create(context_->loop(), listener.fd(),
                                      [this, direct](std::unique_ptr<TcpStream> tcp) {
                                        inbound_->Accept(std::move(tcp), direct);
                                        gate_->OnAccepted();
                                      }));
    acceptors_.push_back(std::move(acceptor));
  }
  return {};
}

// 12.5. What was freed is resident until it is given back.
void TlsListenerWorker::CheckMemory() {
  const std::uint64_t mib =
      WorkerMemoryMib(context_->config().config().limits().worker_memory_mib());
  const std::uint64_t cap = mib * 1024 * 1024;
  const auto level = [&] { return MemoryLevelOf(ResidentBytes(), cap, memory_level_); };
  MemoryLevel now = level();
  if (now != MemoryLevel::kCalm) {
    malloc_trim(0);
    now = level();
  }
  memory_level_ = now;
  gate_->SetMemoryShort(now != MemoryLevel::kCalm);
  if (now == MemoryLevel::kFull) inbound_->GiveUpIdlest();
}

// A file that cannot be read leaves what is in force.
Result<void> TlsListenerWorker::OnReconfigure(const proto::Config& config) {
  GATEHOUSE_TRY(std::vector<std::string> domains, OwnDomains(config));
  GATEHOUSE_TRY(from_files_, ListenerTls::Read(config, domains));
  domains_ = std::move(domains);
  UseConfig(config);
  if (!certificates_->has_answer()) return {};
  UseTls();
  if (config.tls().crl_file().empty()) return {};
  inbound_->JudgeAnew();
  outbound_->JudgeAnew();
  return {};
}

// A listener that was killed and reborn is offered what it held at once.
void TlsListenerWorker::OnOffer(const ipc::Received& received, ipc::Ticket ticket) {
  if (IsProvided())
    return TakeOffer(received.instance, received.body, received.expires, std::move(ticket));
  early_offers_.push_back({std::string(received.instance), std::string(received.body),
                           received.expires, std::move(ticket)});
}

void TlsListenerWorker::TakeOffer(std::string_view instance, std::string_view body,
                                  Deadline expires, ipc::Ticket ticket) {
  auto& out = offered_.Make<proto::OutboundStanza>();
  const bool read = out.ParseFromArray(body.data(), static_cast<int>(body.size()));
  if (read && out.has_stanza()) return outbound_->Send(out, expires, std::move(ticket));
  ticket.Settle(ipc::Outcome::Failed(proto::INTERNAL_SERVER_ERROR, "malformed offer"));
  context_->ReportMalformed(instance, "outbound stanza that cannot be read");
}

void TlsListenerWorker::OnCtl(const proto::CtlRequest& request, WorkerContext::CtlAnswer answer) {
  if (request.has_test_stream() && IsProvided())
    return outbound_->Test(request.test_stream(), std::move(answer));
  if (request.has_why()) return answer(refusals_.Answer(request.why()));
  const bool too_early = request.has_test_stream();
  proto::CtlResponse response;
  response.set_exit_code(too_early ? 1 : 2);
  response.set_error(too_early ? "this listener has no policy yet; wait until policy_engine runs"
                               : "tls_listener knows no such command");
  answer(std::move(response));
}

void TlsListenerWorker::Drain(std::function<void()> drained) {
  drained_ = std::move(drained);
  acceptors_.clear();
  if (synthetic_) synthetic_->Stop();
  // Left open, they would keep taking their part of the newcomers, whom nobody accepts any more.
  for (const proto::ListenSocket& listener : context_->config().listeners())
    const OwnedFd closed(listener.fd());
  if (!inbound_) return drained_();
  inbound_->Shutdown();
  settle_end_ = context_->loop().Now() + kSettleLimit;
  drain_check_.emplace(context_->loop(), [this] { CheckDrained(); });
  drain_check_->StartRepeating(kDrainCheck);
}

// What the translator still holds of ours is settled before we go: it lives nowhere else. Until
// then it may have to tell their senders, by us.
void TlsListenerWorker::CheckDrained() {
  const bool settled = translator_->unsettled() == 0 && inbound_->size() == 0;
  if (!outbound_drains_ && (settled || context_->loop().Now() >= settle_end_)) {
    outbound_drains_ = true;
    outbound_->Drain([this] { outbound_drained_ = true; });
  }
  if (!outbound_drained_ || !settled) return;
  drain_check_->Stop();
  drained_();
}

}  // namespace gatehouse

GATEHOUSE_PLUGIN("tls_listener", gatehouse::TlsListenerWorker);
