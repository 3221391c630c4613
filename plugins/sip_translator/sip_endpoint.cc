#include "plugins/sip_translator/sip_endpoint.h"

#include <charconv>
#include <set>
#include <utility>

#include "core/base/log.h"
#include "core/loop/dns_lookup.h"
#include "core/loop/timer.h"
#include "core/sip/sip_grammar.h"
#include "core/sip/sip_uri.h"
#include "core/tls/crypto.h"
#include "core/tls/own_certificate.h"
#include "core/tls/tls_context.h"
#include "core/worker/worker.h"
#include "plugins/sip_translator/client_requests.h"
#include "plugins/sip_translator/next_hop_health.h"
#include "plugins/sip_translator/server_requests.h"
#include "plugins/sip_translator/sip_resolver.h"
#include "plugins/sip_translator/sip_transport.h"
#include "plugins/sip_translator/sip_trust.h"
#include "plugins/sip_translator/timer_wheel.h"

namespace gatehouse {
namespace {

constexpr milliseconds kConnectionTick{1000};

std::string HostOf(const proto::Config& config) {
  if (!config.sip().host().empty()) return config.sip().host();
  return config.domains().empty() ? std::string("localhost") : config.domains(0).name();
}

std::uint32_t RandomSeed() {
  std::uint32_t seed = 0;
  for (const char c : RandomBytes(sizeof(seed))) seed = seed << 8U | static_cast<unsigned char>(c);
  return seed;
}

bool NeedsTls(const proto::WorkerConfig& config) {
  for (const proto::ListenSocket& socket : config.listeners())
    if (socket.kind() == proto::SIP && socket.transport() == "tls") return true;
  for (const proto::Domain& domain : config.config().domains()) {
    const auto uri = SipUri::Parse(domain.next_hop());
    if (!uri) continue;
    const auto transport = uri->Param("transport");
    if (uri->secure || (transport && sip_grammar::EqualsNoCase(*transport, "tls"))) return true;
  }
  return false;
}

Result<std::shared_ptr<const TlsContext>> ReadFiles(const proto::Config& config) {
  const proto::Tls& files = config.tls();
  return TlsContext::Create({.chain_file = files.chain_file(),
                             .key_file = files.key_file(),
                             .trust = files.trust(),
                             .crl_file = files.crl_file()},
                            {.require_peer_certificate = true, .alpn = {}});
}

class Endpoint final : public SipEndpoint, private SipTransportLayer::User {
 public:
  Endpoint(WorkerContext& context, SipTrust trust)
      : loop_(context.loop()),
        metrics_(context.metrics()),
        trust_(std::move(trust)),
        wheel_(loop_.Now()),
        wheel_timer_(loop_, [this] { TurnWheel(); }),
        connection_timer_(loop_, [this] { transport_->Tick(loop_.Now()); }) {}

  Result<void> Start(const proto::WorkerConfig& config, Keys keys) {
    const proto::Config& edge = config.config();
    from_files_ = std::move(keys.tls);
    const bool tls = from_files_ != nullptr;
    const std::vector<std::string> servers(edge.dns().servers().begin(),
                                           edge.dns().servers().end());
    GATEHOUSE_TRY(dns_, DnsLookup::Create(loop_, servers));
    GATEHOUSE_TRY(transport_,
                  SipTransportLayer::Create(loop_, metrics_, *this, trust_, config,
                                            {.tls = from_files_, .host = HostOf(edge)}));
    resolver_ = std::make_unique<SipResolver>(
        *dns_,
        SipResolver::Options{.udp = transport_->HasUdp(),
                             .tls = tls,
                             .allow_loopback_targets = edge.dns().allow_loopback_targets()},
        RandomSeed());
    client_ = std::make_unique<ClientRequests>(loop_, metrics_, *transport_, *resolver_, wheel_,
                                               TransactionTimes{});
    server_ =
        std::make_unique<ServerRequests>(loop_, metrics_, *transport_, wheel_, TransactionTimes{});
    health_ = std::make_unique<NextHopHealth>(loop_, metrics_, *this, HostOf(edge));
    health_->Watch(edge);
    connection_timer_.StartRepeating(kConnectionTick);
    return {};
  }

  Result<void, SipSendRefusal> SendRequest(SipOutgoing request, OnFinal done) override {
    health_->OnTraffic(request.next_hop());
    auto sent = client_->Send(std::move(request), std::move(done));
    KeepWheelTurning();
    return sent;
  }
  [[nodiscard]] std::string SentBy(SipTransport transport) const override {
    return transport_->SentBy(transport);
  }
  void OnRequests(OnRequest handler) override { server_->SetHandler(std::move(handler)); }
  void OnRefusals(OnRefusal handler) override { server_->SetRefusals(std::move(handler)); }
  void PauseRequests() override { paused_ = true; }
  void ResumeRequests() override {
    if (!std::exchange(paused_, false)) return;
    transport_->ResumeReading();
    KeepWheelTurning();
  }
  bool ShowCertificate(const OwnCertificate* certificate) override {
    if (from_files_ == nullptr) return true;
    std::shared_ptr<const TlsContext> tls = from_files_;
    if (certificate != nullptr) {
      auto showing = TlsContext::Like(*from_files_, *certificate);
      if (showing)
        tls = *std::move(showing);
      else
        Log(LogLevel::kError, "certificate-unusable", {{"why", showing.error().text}});
    }
    const bool has_one = tls->has_certificate();
    transport_->SetTls(std::move(tls));
    return has_one;
  }
  Result<void> Reconfigure(const proto::Config& config) override {
    std::shared_ptr<const TlsContext> from_files;
    if (from_files_ != nullptr) {
      GATEHOUSE_TRY(from_files, ReadFiles(config));
    }
    GATEHOUSE_TRY(trust_, SipTrust::Create(config));
    from_files_ = std::move(from_files);
    if (from_files_ != nullptr) transport_->JudgeAnew(from_files_);
    health_->Watch(config);
    return {};
  }
  [[nodiscard]] std::size_t requests_in_flight() const override { return client_->in_flight(); }
  [[nodiscard]] std::size_t replies_owed() const override { return server_->owed(); }

 private:
  void OnMessage(SipMessage& message, const SipSource& source) override {
    if (message.is_request()) {
      server_->OnMessage(message, source);
    } else if (source.trusted || source.transport != SipTransport::kTcp) {
      // Over UDP the unguessable branch is what makes it ours. A peer over TLS proved itself when
      // it was asked.
      client_->OnResponse(message);
    }
    KeepWheelTurning();
  }
  void OnRefused(const SipRefusal& refusal, const SipSource& source) override {
    server_->OnRefused(refusal, source);
  }
  [[nodiscard]] bool TakesRequests() const override { return !paused_; }
  bool IsInUse(SipConnectionId connection) override {
    return client_->AwaitsAnswerOn(connection) || server_->OwesAnswerOn(connection);
  }
  void OnConnectionGone(SipConnectionId connection, SipFailure failure, bool never_sent,
                        TimePoint last_received) override {
    client_->OnConnectionGone(connection, failure, never_sent, last_received);
  }

  void TurnWheel() {
    wheel_.Advance(loop_.Now());
    if (wheel_.size() == 0) wheel_timer_.Stop();
  }
  void KeepWheelTurning() {
    if (wheel_.size() == 0 || wheel_timer_.active()) return;
    wheel_.Advance(loop_.Now());
    wheel_timer_.StartRepeating(TimerWheel::kTick);
  }

  Loop& loop_;
  Metrics& metrics_;
  SipTrust trust_;
  std::shared_ptr<const TlsContext> from_files_;  // null where nothing speaks TLS
  TimerWheel wheel_;
  Timer wheel_timer_;
  Timer connection_timer_;
  std::unique_ptr<DnsLookup> dns_;
  std::unique_ptr<SipTransportLayer> transport_;
  std::unique_ptr<SipResolver> resolver_;
  std::unique_ptr<ClientRequests> client_;
  std::unique_ptr<ServerRequests> server_;
  std::unique_ptr<NextHopHealth> health_;
  bool paused_ = true;
};

}  // namespace

Result<SipEndpoint::Keys> SipEndpoint::ReadKeys(const proto::WorkerConfig& config) {
  Keys keys;
  if (!NeedsTls(config)) return keys;
  GATEHOUSE_TRY(keys.tls, ReadFiles(config.config()));
  return keys;
}

Result<std::unique_ptr<SipEndpoint>> SipEndpoint::Create(WorkerContext& context, Keys keys) {
  GATEHOUSE_TRY(auto trust, SipTrust::Create(context.config().config()));
  auto endpoint = std::make_unique<Endpoint>(context, std::move(trust));
  GATEHOUSE_TRY_VOID(endpoint->Start(context.config(), std::move(keys)));
  return std::unique_ptr<SipEndpoint>(std::move(endpoint));
}

}  // namespace gatehouse
