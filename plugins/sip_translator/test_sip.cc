#include "plugins/sip_translator/test_sip.h"

#include <fmt/format.h>

#include <ctime>
#include <random>
#include <utility>

#include "core/loop/dns_lookup.h"
#include "core/loop/tcp_stream.h"
#include "core/sip/sip_grammar.h"
#include "core/tls/tls_probe.h"
#include "plugins/sip_translator/next_hop_health.h"
#include "plugins/sip_translator/sip_resolver.h"
#include "plugins/sip_translator/sip_trust.h"
#include "plugins/sip_translator/test_report.h"
#include "plugins/sip_translator/told_dns.h"
#include "proto/config.pb.h"
#include "proto/link_control.pb.h"

namespace gatehouse::translator {
namespace {

constexpr milliseconds kTestConnectLimit{5000};
constexpr milliseconds kHandshakeLimit{10000};
constexpr milliseconds kEndLimit{2000};
constexpr std::int64_t kDayS = 86400;

std::string NamesText(const PeerCertificate& peer) {
  const std::string names = ShownNames(peer);
  return names.empty() ? "no names" : "names: " + names;
}

std::string_view TransportWord(SipTransport transport) {
  switch (transport) {
    case SipTransport::kTls:
      return "TLS";
    case SipTransport::kTcp:
      return "TCP";
    case SipTransport::kUdp:
      return "UDP";
  }
  return {};
}

struct Fault {
  Reason code = Reason::kNone;
  std::string reason;
  std::string remedy;
};

// What the answer to OPTIONS says of us; kNone: it lives, whatever it says (11.5).
Fault FaultOfStatus(int status) {
  constexpr Reason kCode = Reason::kNextHopRefused;
  if (status == 401 || status == 407)
    return {kCode, fmt::format("the next hop asks us to log in ({})", status),
            "make the edge a trusted application (gatehousectl sip plan --lync), or a trusted peer "
            "of the proxy: servers do not log in"};
  if (status == 403)
    return {kCode, "the next hop forbids it (403)",
            "it does not take us for a trusted server: see gatehousectl sip plan, and the name in "
            "our certificate"};
  if (status >= 500)
    return {kCode, fmt::format("the next hop answers with an error ({})", status),
            "look into the log of the next hop"};
  return {};
}

// `alert`: what the peer said of it; empty: nothing, it only ended the connection.
Fault OwnCertificateFault(const std::string& alert) {
  return {Reason::kOwnCertificateRefused,
          alert.empty() ? "the next hop ended the connection after it saw our certificate"
                        : fmt::format("the next hop refused our certificate ({})", alert),
          std::string(EntryOf(Reason::kOwnCertificateRefused).remedy)};
}

Fault FaultOfFailure(SipFailure failure) {
  switch (failure) {
    case SipFailure::kTimeout:
      return {Reason::kNextHopSilent, "no answer to OPTIONS within 32 s",
              "the next hop takes the connection but is silent: look into its log, and whether it "
              "may send to us"};
    case SipFailure::kTlsIdentity:
      return {Reason::kNextHopUntrusted,
              "the certificate of the next hop is not the one it must have",
              "its names must have the host of next_hop"};
    case SipFailure::kNoRoute:
      return {Reason::kNoSipRoute, "DNS names no server for it",
              "set next_hop of the domain, or add its records"};
    case SipFailure::kOwnRefused:
      return OwnCertificateFault({});
    case SipFailure::kClosed:
      return {Reason::kNextHopClosed,
              "the next hop took the OPTIONS and closed the connection without an answer",
              std::string(EntryOf(Reason::kNextHopClosed).remedy)};
    case SipFailure::kTransport:
    case SipFailure::kNone:
      break;
  }
  return {Reason::kNextHopUnreachable, "the OPTIONS could not be sent",
          "try again in a minute: connections wait after a failure"};
}

}  // namespace

class SipTests::Test {
 public:
  Test(SipTests& owner, std::uint64_t id, std::function<void(proto::CtlResponse)> answer)
      : owner_(owner),
        id_(id),
        answer_(std::move(answer)),
        report_(owner.loop_.Now()),
        dns_(*owner.dns_,
             [this](bool ok, std::string detail) { Step("dns", ok, std::move(detail)); }),
        resolver_(dns_,
                  {.udp = owner.udp_,
                   .tls = owner.tls_->has_certificate(),
                   .allow_loopback_targets = owner.config_->dns().allow_loopback_targets()},
                  std::random_device{}()),
        limit_(owner.loop_, [this] { OnLimit(); }) {}

  void Start(const std::string& wanted) {
    const proto::Domain* domain = FindDomain(wanted);
    if (domain == nullptr)
      return Fail({Reason::kNotOurDomain, fmt::format("'{}' is none of our domains", wanted),
                   "name one of domains in gatehouse.yaml"});
    next_hop_ = domain->next_hop().empty() ? "sip:" + domain->name() : domain->next_hop();
    Step("next-hop", true,
         domain->next_hop().empty() ? domain->name() + ": by DNS (RFC 3263)"
                                    : domain->name() + ": " + next_hop_);
    const bool known = resolver_.Resolve(next_hop_, [this](auto targets) { OnTargets(targets); });
    if (!known)
      Fail({Reason::kNoSipRoute, fmt::format("'{}' is no next hop", next_hop_),
            "write it as sip:HOST:PORT;transport=tls"});
  }

 private:
  [[nodiscard]] const proto::Domain* FindDomain(const std::string& wanted) const {
    for (const proto::Domain& domain : owner_.config_->domains())
      if (wanted.empty() || sip_grammar::EqualsNoCase(domain.name(), wanted)) return &domain;
    return nullptr;
  }

  void Step(std::string_view name, bool ok, std::string detail) {
    report_.Step(owner_.loop_.Now(), name, ok, std::move(detail));
  }

  void OnTargets(const Result<std::vector<SipTarget>, SipFailure>& targets) {
    if (!targets) {
      const bool fact = targets.error() == SipFailure::kNoRoute;
      return Fail({fact ? Reason::kNoSipRoute : Reason::kDnsTrouble,
                   fact ? "DNS names no server for the next hop" : "DNS does not answer",
                   fact ? "check the host in next_hop, or the records of the domain"
                        : "check dns.servers and the name servers of the zone"});
    }
    targets_ = *targets;
    TryTarget();
  }

  void TryTarget() {
    const SipTarget& target = targets_[at_];
    if (target.transport == SipTransport::kUdp) {
      Step("udp", true, target.address.ToText());
      return SendOptions();
    }
    connecting_ = TcpStream::Connect(
        owner_.loop_, target.address, kTestConnectLimit,
        [this](Result<std::unique_ptr<TcpStream>> stream) { OnConnected(std::move(stream)); });
  }

  void OnConnected(Result<std::unique_ptr<TcpStream>> stream) {
    const SipTarget& target = targets_[at_];
    const std::string to = target.address.ToText();
    Step("tcp", stream.has_value(), stream ? to : to + ": " + stream.error().text);
    if (!stream)
      return NextTarget(
          {Reason::kNextHopUnreachable,
           fmt::format("no connection to {}: {}", to, stream.error().text),
           "is the next hop running, is the port right, and does a firewall let us through?"});
    if (target.transport == SipTransport::kTcp) return SendOptions();
    if (!owner_.tls_->has_certificate())
      return Fail(
          {Reason::kTlsFailed, "we have no certificate for TLS",
           "give it one with gatehousectl cert assign, or set tls.chain_file and tls.key_file"});
    stream_ = *std::move(stream);
    StartTls(target.tls_name);
  }

  void StartTls(const std::string& name) {
    auto session = TlsSession::Create(
        owner_.tls_, TlsSession::Role::kClient, name,
        {.on_ciphertext = [this](std::string_view bytes) { stream_->Write(bytes); },
         .on_plaintext = [](std::span<const std::byte>) {},
         .on_handshake_done = [this] { Later(&Test::OnHandshake); },
         .on_peer_closed = {}});
    if (!session)
      return Fail({Reason::kTlsFailed, session.error().text, "check the host in next_hop"});
    tls_ = *std::move(session);
    limit_.Start(kHandshakeLimit);
    stream_->Start({.on_bytes =
                        [this](std::span<const std::byte> bytes) {
                          if (done_) return;
                          if (const auto fed = tls_->Feed(bytes); !fed)
                            OnTlsFailed(fed.error().text);
                        },
                    .on_closed =
                        [this](std::string_view why) {
                          if (done_) return;
                          OnTlsFailed(why.empty() ? "the peer closed the connection"
                                                  : std::string(why));
                        }});
    if (const auto started = tls_->Start(); !started) OnTlsFailed(started.error().text);
  }

  void OnLimit() {
    if (awaiting_end_) return AfterOptionsFailed();
    OnTlsFailed("no handshake within 10 s");
  }

  void OnTlsFailed(const std::string& why) {
    ended_ = true;
    if (awaiting_end_) return Later(&Test::AfterOptionsFailed);
    if (judged_) return;  // it may close now
    judged_ = true;
    tls_fault_ = why;
    Later(&Test::AfterTlsFailed);
  }

  void AfterTlsFailed() {
    limit_.Stop();
    Step("tls", false, tls_fault_);
    if (const std::string alert = tls_->own_certificate_refusal(); !alert.empty())
      return Fail(OwnCertificateFault(alert));
    Fail({Reason::kTlsFailed, "TLS failed: " + tls_fault_,
          "does the next hop speak TLS 1.2 or later at this port, and does it trust the authority "
          "of our certificate?"});
  }

  void OnHandshake() {
    if (judged_) return;
    judged_ = true;
    limit_.Stop();
    Step("tls", true, tls_->version() + ' ' + tls_->cipher());
    const PeerCertificate& peer = tls_->peer();
    const Fault fault = FaultOfCertificate(peer);
    const bool good = fault.code == Reason::kNone;
    std::string detail =
        fmt::format("{}; {} days left; {}", NamesText(peer),
                    (peer.not_after_unix - std::time(nullptr)) / kDayS, ShownChainText(*tls_));
    Step("certificate", good, good ? detail : detail + "; " + fault.reason);
    if (!good) return Fail(fault);
    Step("own-certificate", true,
         AskedForCertificate(*tls_) ? "the next hop asked for ours"
                                    : "the next hop did not ask for ours");
    SendOptions();
  }

  // The rules of the connection that carries requests (11.8).
  [[nodiscard]] Fault FaultOfCertificate(const PeerCertificate& peer) const {
    constexpr Reason kCode = Reason::kNextHopUntrusted;
    if (!peer.chain_valid)
      return {kCode, fmt::format("its certificate is not trusted: {}", peer.chain_error),
              "renew it, or put its authority into tls.trust"};
    const std::string& expected = targets_[at_].tls_name;
    if (!expected.empty() && !MatchesSipName(peer, expected))
      return {kCode, fmt::format("its certificate does not name {}", expected),
              "issue it with that name, or use the name it has as host of next_hop"};
    if (!expected.empty()) return {};
    const auto trust = SipTrust::Create(*owner_.config_);
    if (trust && trust->TrustedName(peer)) return {};
    return {kCode, "its certificate names none of sip.trusted_peers",
            "add its name to sip.trusted_peers, or issue one with a name from there"};
  }

  void NextTarget(const Fault& fault) {
    if (++at_ >= targets_.size()) return Fail(fault);
    Later(&Test::TryTarget);
  }

  void SendOptions() {
    // It was read before: where it leads to is known.
    auto options = OptionsTo(next_hop_, owner_.endpoint_.SentBy(targets_[at_].transport));
    sent_at_ = owner_.loop_.Now();
    const auto sent = owner_.endpoint_.SendRequest(
        *std::move(options), [owner = &owner_, id = id_](const SipFinal& final) {
          const auto found = owner->tests_.find(id);
          if (found != owner->tests_.end()) found->second->OnOptions(final);
        });
    if (!sent)
      Fail({Reason::kOverloaded, "the OPTIONS could not be made", "try again: the edge is busy"});
  }

  void OnOptions(const SipFinal& final) {
    const auto took =
        std::chrono::duration_cast<milliseconds>(owner_.loop_.Now() - sent_at_).count();
    if (final.failure != SipFailure::kNone) {
      failure_ = final.failure;
      // The connection of our own hears in a moment what ended the other one.
      awaiting_end_ = tls_ != nullptr && AskedForCertificate(*tls_) &&
                      (failure_ == SipFailure::kTransport || failure_ == SipFailure::kClosed ||
                       failure_ == SipFailure::kOwnRefused);
      if (!awaiting_end_ || ended_) return AfterOptionsFailed();
      return limit_.Start(kEndLimit);
    }
    const Fault fault = FaultOfStatus(final.status);
    Step("options", fault.code == Reason::kNone,
         fmt::format("{} after {} ms by {}", final.status, took,
                     TransportWord(targets_[at_].transport)));
    if (fault.code != Reason::kNone) return Fail(fault);
    Step("result", true, "the next hop answers");
    Finish({});
  }

  void AfterOptionsFailed() {
    limit_.Stop();
    Fault fault = FaultOfFailure(failure_);
    // Since TLS 1.3 a server says after the handshake only what it thinks of our certificate.
    if (awaiting_end_ && ended_) fault = OwnCertificateFault(tls_->own_certificate_refusal());
    Step("options", false, fault.reason);
    Fail(fault);
  }

  void Fail(const Fault& fault) {
    Step("result", false, fmt::format("{}: {}", ReasonCode(fault.code), fault.reason));
    Finish(fault);
  }

  // Outside of all that is ours: what called may be about to be destroyed.
  void Finish(Fault fault) {
    if (std::exchange(done_, true)) return;
    owner_.loop_.Post(
        [owner = &owner_, id = id_, answer = std::move(answer_),
         response = report_.Finish(fault.code, std::move(fault.reason), std::move(fault.remedy))] {
          owner->tests_.erase(id);
          answer(response);
        });
  }

  // In the next turn, unless the test is over by then.
  void Later(void (Test::*step)()) {
    owner_.loop_.Post([owner = &owner_, id = id_, step] {
      const auto found = owner->tests_.find(id);
      if (found != owner->tests_.end() && !found->second->done_) (found->second.get()->*step)();
    });
  }

  SipTests& owner_;
  std::uint64_t id_;
  std::function<void(proto::CtlResponse)> answer_;
  TestReport report_;
  ToldDns dns_;
  SipResolver resolver_;
  std::string next_hop_;
  std::vector<SipTarget> targets_;
  std::size_t at_ = 0;
  std::unique_ptr<TcpStream::Connecting> connecting_;
  std::unique_ptr<TcpStream> stream_;
  std::unique_ptr<TlsSession> tls_;
  std::string tls_fault_;
  bool judged_ = false;
  bool ended_ = false;         // the connection of our own
  bool awaiting_end_ = false;  // of it, before it is told why the OPTIONS failed
  SipFailure failure_ = SipFailure::kNone;
  bool done_ = false;
  TimePoint sent_at_;
  Timer limit_;
};

Result<std::shared_ptr<const TlsContext>> SipTests::ReadContext(const proto::Config& config) {
  const proto::Tls& files = config.tls();
  return TlsContext::Create({.chain_file = files.chain_file(),
                             .key_file = files.key_file(),
                             .trust = files.trust(),
                             .crl_file = files.crl_file()});
}

SipTests::SipTests(Loop& loop, SipEndpoint& endpoint, std::shared_ptr<const TlsContext> tls)
    : loop_(loop), endpoint_(endpoint), from_files_(std::move(tls)), tls_(from_files_) {}

SipTests::~SipTests() = default;

void SipTests::ShowCertificate(const OwnCertificate* certificate) {
  tls_ = from_files_;
  if (certificate == nullptr) return;
  // The endpoint has told already where one cannot be shown.
  if (auto showing = TlsContext::Like(*from_files_, *certificate)) tls_ = *std::move(showing);
}

Result<std::unique_ptr<SipTests>> SipTests::Create(Loop& loop, SipEndpoint& endpoint,
                                                   std::shared_ptr<const TlsContext> tls,
                                                   const proto::WorkerConfig& config) {
  std::unique_ptr<SipTests> tests(new SipTests(loop, endpoint, std::move(tls)));
  const auto& servers = config.config().dns().servers();
  GATEHOUSE_TRY(tests->dns_,
                DnsLookup::Create(loop, std::vector<std::string>(servers.begin(), servers.end())));
  for (const proto::ListenSocket& socket : config.listeners())
    if (socket.kind() == proto::SIP && socket.transport() == "udp") tests->udp_ = true;
  tests->config_ = std::make_unique<proto::Config>(config.config());
  return tests;
}

void SipTests::Reconfigure(const proto::Config& config) {
  config_ = std::make_unique<proto::Config>(config);
  // Where they cannot be read, the endpoint tells.
  if (auto from_files = ReadContext(config)) from_files_ = *std::move(from_files);
}

void SipTests::Start(const proto::TestSip& test, std::function<void(proto::CtlResponse)> answer) {
  const std::uint64_t id = ++last_id_;
  Test& started =
      *tests_.emplace(id, std::make_unique<Test>(*this, id, std::move(answer))).first->second;
  started.Start(test.domain());
}

}  // namespace gatehouse::translator
