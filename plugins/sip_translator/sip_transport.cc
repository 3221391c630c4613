#include "plugins/sip_translator/sip_transport.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "proto/link_control.pb.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxConnections = 1024;
// Of them from peers nobody has vouched for, TLS handshakes included. Strangers cannot keep the
// others out: for one more of them the oldest goes.
constexpr std::size_t kMaxStrangers = 256;
// Of them accepted from one address, strangers aside: no peer takes the places of all.
constexpr std::size_t kMaxOfOneAddress = 256;
// Requests of one connection before those of the next that wait.
constexpr int kShare = 8;
constexpr milliseconds kFirstBackOff{1000};
constexpr milliseconds kMaxBackOff{60000};
// As long as a request of ours may wait for its answer (Timer F).
constexpr milliseconds kRetiredLimit{32000};
constexpr std::size_t kMaxNextHops = 1024;
// Within 95 to 120 s (RFC 5626 §4.4.1); spread over connections by their ids.
constexpr milliseconds kPingAfter{95000};
constexpr std::uint64_t kPingSpreadSeconds = 25;

std::optional<SipTransport> TransportNamed(std::string_view name) {
  if (name == "udp") return SipTransport::kUdp;
  if (name == "tcp") return SipTransport::kTcp;
  if (name == "tls") return SipTransport::kTls;
  return std::nullopt;
}

SipFailure FailureOf(SipClosed how) {
  switch (how) {
    case SipClosed::kTlsIdentity:
      return SipFailure::kTlsIdentity;
    case SipClosed::kOwnRefused:
      return SipFailure::kOwnRefused;
    case SipClosed::kByPeer:
    case SipClosed::kTransport:
    case SipClosed::kProtocol:
      break;
  }
  return SipFailure::kTransport;
}

}  // namespace

SipTransportLayer::SipTransportLayer(Loop& loop, Metrics& metrics, User& user,
                                     const SipTrust& trust, Setup setup)
    : loop_(loop),
      metrics_(metrics),
      user_(user),
      trust_(trust),
      setup_(std::move(setup)),
      flush_(loop, [this] { FlushWritten(); }),
      turn_over_(loop, [this] { budget_.EndTurn(loop_.Now()); }),
      go_on_(loop, [this] { ServeLine(); }),
      connections_gauge_(metrics.Value("gatehouse_sip_connections")),
      untrusted_total_(metrics.Value("gatehouse_sip_untrusted_connections_total")),
      refused_total_(metrics.Value("gatehouse_sip_connections_refused_total")) {
  for (const SipTransport transport : {SipTransport::kUdp, SipTransport::kTcp, SipTransport::kTls})
    SetSentBy(transport, DefaultPort(transport));
}

SipTransportLayer::~SipTransportLayer() = default;

Result<std::unique_ptr<SipTransportLayer>> SipTransportLayer::Create(
    Loop& loop, Metrics& metrics, User& user, const SipTrust& trust,
    const proto::WorkerConfig& config, Setup setup) {
  std::unique_ptr<SipTransportLayer> layer(
      new SipTransportLayer(loop, metrics, user, trust, std::move(setup)));
  for (const proto::ListenSocket& socket : config.listeners()) {
    const auto transport = TransportNamed(socket.transport());
    if (socket.kind() != proto::SIP) continue;
    if (!transport) return BadConfig("sip: no transport named '" + socket.transport() + "'");
    GATEHOUSE_TRY_VOID(layer->TakeListener(*transport, socket.address(), socket.fd()));
  }
  return layer;
}

void SipTransportLayer::SetSentBy(SipTransport transport, std::uint16_t port) {
  sent_by_[static_cast<std::size_t>(transport)] = setup_.host + ':' + std::to_string(port);
}

Result<void> SipTransportLayer::TakeListener(SipTransport transport, std::string_view address,
                                             int fd) {
  GATEHOUSE_TRY(const SocketAddress bound, SocketAddress::Parse(address));
  SetSentBy(transport, bound.Port());
  if (transport == SipTransport::kUdp) {
    GATEHOUSE_TRY(
        auto socket,
        UdpSocket::Create(
            loop_, fd, [this](std::span<const std::byte> bytes, const SocketAddress& from) {
              OnDatagram({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, from);
            }));
    udp_.push_back({bound.raw()->sa_family, std::move(socket)});
    return {};
  }
  if (transport == SipTransport::kTls && setup_.tls == nullptr)
    return BadConfig("sip: listening on tls needs a certificate");
  GATEHOUSE_TRY(auto acceptor, TcpAcceptor::Create(
                                   loop_, fd, [this, transport](std::unique_ptr<TcpStream> stream) {
                                     OnAccepted(transport, std::move(stream));
                                   }));
  if (transport == SipTransport::kTls) {
    acceptor->Pause();
    waiting_for_tls_.push_back(acceptor.get());
  }
  acceptors_.push_back(std::move(acceptor));
  return {};
}

void SipTransportLayer::SetTls(std::shared_ptr<const TlsContext> tls) {
  setup_.tls = std::move(tls);
  may_speak_tls_ = setup_.tls != nullptr;
  for (TcpAcceptor* acceptor : std::exchange(waiting_for_tls_, {})) acceptor->Resume();
}

void SipTransportLayer::MakeRoomForAStranger() {
  std::size_t strangers = 0;
  SipConnection* oldest = nullptr;
  for (const auto& [id, connection] : connections_) {
    if (!connection->stranger()) continue;
    ++strangers;
    if (oldest == nullptr || id < oldest->id()) oldest = connection.get();
  }
  if (strangers >= kMaxStrangers) oldest->GiveUp("too many strangers");
}

void SipTransportLayer::OnAccepted(SipTransport transport, std::unique_ptr<TcpStream> stream) {
  const bool stranger = transport == SipTransport::kTcp && !trust_.TrustsAddress(stream->peer());
  // Mutual TLS cannot begin; `stream` closes, and the peer tries again later.
  if (transport == SipTransport::kTls && !setup_.tls->has_certificate()) return;
  if (AcceptedFrom(*stream) >= kMaxOfOneAddress)
    return OnTooMany(stream->peer(), Reason::kAddressLimit);  // closes it
  if (stranger || transport == SipTransport::kTls) MakeRoomForAStranger();
  if (connections_.size() >= kMaxConnections)
    return OnTooMany(stream->peer(), Reason::kConnectionLimit);
  const SipConnectionId id{++last_id_};
  auto connection = SipConnection::Accept(loop_, *this,
                                          {.id = id,
                                           .transport = transport,
                                           .tls = setup_.tls,
                                           .stranger = stranger,
                                           .held_bytes_of_all = &held_bytes_},
                                          std::move(stream));
  if (connection->closed()) return;
  connections_.emplace(id, std::move(connection));
  connections_gauge_ = static_cast<double>(connections_.size());
}

std::size_t SipTransportLayer::AcceptedFrom(const TcpStream& stream) const {
  const std::string ip = stream.peer().Ip();
  return static_cast<std::size_t>(std::ranges::count_if(connections_, [&ip](const auto& one) {
    return !one.second->opened_by_us() && !one.second->stranger() && one.second->peer().Ip() == ip;
  }));
}

void SipTransportLayer::OnTooMany(const SocketAddress& peer, Reason why) {
  refused_total_ += 1;
  LogConnection("sip-connection-refused", peer, "too many connections", why);
}

void SipTransportLayer::LogConnection(std::string_view event, const SocketAddress& peer,
                                      std::string_view why, Reason reason) {
  const auto left_out = log_sampler_.Admit(peer.Ip());
  if (!left_out) return;
  Log(LogLevel::kInfo, event,
      {{"peer", peer.ToText()},
       {"why", why},
       {"reason", ReasonCode(reason)},
       {"left_out", *left_out}});
}

// Anybody may knock: ten lines a minute of all of them together.
void SipTransportLayer::OnUntrusted(const SipConnection& connection, std::string_view why) {
  CountUntrustedPeer(metrics_);
  const auto left_out = untrusted_log_.Admit("untrusted");
  if (!left_out) return;
  const PeerCertificate& certificate = connection.certificate();
  Log(LogLevel::kInfo, "sip-connection-refused",
      {{"peer", connection.peer().ToText()},
       {"names", ShownNames(certificate)},
       {"why", why},
       {"reason", ReasonCode(Reason::kUntrustedPeer)},
       {"remedy", RemedyForPeer(certificate)},
       {"left_out", *left_out}});
}

void SipTransportLayer::OnDatagram(std::string_view bytes, const SocketAddress& from) {
  if (!bytes.starts_with("SIP/") && !user_.TakesRequests()) return;
  if (bytes.find_first_not_of("\r\n") == std::string_view::npos) return;  // a keepalive
  const SipSource source{.transport = SipTransport::kUdp,
                         .address = from,
                         .trusted = trust_.TrustsAddress(from),
                         .name = {}};
  auto message = SipMessage::Parse(bytes, false);
  if (message) {
    user_.OnMessage(*message, source);
  } else {
    user_.OnRefused(message.error(), source);
  }
}

bool SipTransportLayer::SendDatagram(const SocketAddress& to, std::string_view bytes) {
  const int family = to.raw()->sa_family;
  const auto fitting = std::ranges::find(udp_, family, &BoundUdp::family);
  if (fitting != udp_.end()) return fitting->socket->Send(to, bytes);
  return !udp_.empty() && udp_.front().socket->Send(to, bytes);
}

SipConnection* SipTransportLayer::Find(SipConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

// RFC 5923 §8.1: only where the peer proved the very identity we would connect to.
SipConnection* SipTransportLayer::ProvenInbound(const std::string& name) {
  if (name.empty()) return nullptr;
  for (const auto& [id, connection] : connections_)
    if (connection->open() && !connection->opened_by_us() && !connection->retired_until() &&
        connection->proven_name() == name)
      return connection.get();
  return nullptr;
}

SipConnection* SipTransportLayer::ConnectionTo(const SipTarget& target) {
  const auto known = next_hops_.find(target.key);
  if (known != next_hops_.end()) {
    SipConnection* connection = Find(known->second.connection);
    if (connection != nullptr && !connection->closing()) return connection;
    if (loop_.Now() < known->second.retry_at) return nullptr;
  }
  if (target.transport == SipTransport::kTls)
    if (SipConnection* connection = ProvenInbound(target.tls_name)) return connection;
  return OpenTo(target);
}

SipConnection* SipTransportLayer::OpenTo(const SipTarget& target) {
  if (target.transport == SipTransport::kTls && !may_speak_tls_) return nullptr;
  if (next_hops_.size() >= kMaxNextHops)
    std::erase_if(next_hops_,
                  [this](const auto& hop) { return Find(hop.second.connection) == nullptr; });
  if (next_hops_.size() >= kMaxNextHops) return nullptr;
  const SipConnectionId id{++last_id_};
  auto connection = SipConnection::Open(loop_, *this,
                                        {.id = id,
                                         .transport = target.transport,
                                         .tls = setup_.tls,
                                         .stranger = false,
                                         .held_bytes_of_all = &held_bytes_},
                                        target);
  SipConnection* raw = connection.get();
  connections_.emplace(id, std::move(connection));
  connections_gauge_ = static_cast<double>(connections_.size());
  next_hops_[target.key].connection = id;
  return raw;
}

Result<SipConnectionId, SipFailure> SipTransportLayer::SendRequest(const SipTarget& target,
                                                                   std::string_view bytes) {
  if (target.transport == SipTransport::kUdp) {
    if (!SendDatagram(target.address, bytes)) return std::unexpected(SipFailure::kTransport);
    return SipConnectionId{};
  }
  SipConnection* connection = ConnectionTo(target);
  if (connection == nullptr) return std::unexpected(SipFailure::kTransport);
  connection->Send(bytes);
  return connection->id();
}

void SipTransportLayer::SendResponse(const SipReturnPath& path, std::string_view bytes) {
  if (path.transport == SipTransport::kUdp) {
    SendDatagram(path.address, bytes);
    return;
  }
  if (SipConnection* connection = Find(path.connection);
      connection != nullptr && connection->open())
    return connection->Send(bytes);
  SipTarget target{
      .transport = path.transport, .address = path.address, .tls_name = path.tls_name, .key = {}};
  target.NameIt();
  if (SipConnection* connection = ConnectionTo(target)) connection->Send(bytes);
}

SipReturnPath SipTransportLayer::ReturnPath(const SipSource& source, std::uint16_t via_port,
                                            bool rport) {
  SipReturnPath path{.transport = source.transport,
                     .connection = source.connection,
                     .address = source.address,
                     .tls_name = std::string(source.name)};
  if (source.transport != SipTransport::kUdp || !rport)
    path.address.SetPort(via_port != 0 ? via_port : DefaultPort(source.transport));
  return path;
}

// One that is retired goes when nothing is under way on it.
void SipTransportLayer::CloseAfterWrites(SipConnectionId id) {
  SipConnection* connection = Find(id);
  if (connection != nullptr && !connection->retired_until()) connection->CloseAfterWrites();
}

void SipTransportLayer::JudgeAnew(const std::shared_ptr<const TlsContext>& tls) {
  for (const SipConnectionId id : AllConnections()) {
    SipConnection& connection = *connections_.at(id);
    if (connection.transport() != SipTransport::kTls) continue;
    connection.JudgeBy(tls);
    if (!connection.open() || connection.retired_until() || JudgeCertificate(connection)) continue;
    const PeerCertificate& certificate = connection.certificate();
    Retire(connection, certificate.chain_valid ? "its certificate names no trusted peer any more"
                                               : certificate.chain_error);
  }
}

// Requests go elsewhere from now on, and theirs are refused.
void SipTransportLayer::Retire(SipConnection& connection, std::string_view why) {
  Log(LogLevel::kNotice, "sip-peer-distrusted",
      {{"peer", connection.peer().ToText()}, {"name", connection.proven_name()}, {"why", why}});
  untrusted_total_ += 1;
  connection.Retire(loop_.Now() + kRetiredLimit);
  for (auto& [key, hop] : next_hops_)
    if (hop.connection == connection.id()) hop.connection = SipConnectionId{};
  LookAtProof(connection, loop_.Now());
}

void SipTransportLayer::LookAtProof(SipConnection& connection, TimePoint now) {
  if (!connection.open() || connection.transport() != SipTransport::kTls) return;
  if (const auto until = connection.retired_until()) {
    if (now >= *until || !user_.IsInUse(connection.id())) connection.CloseAfterWrites();
    return;
  }
  const std::int64_t not_after = connection.certificate().not_after_unix;
  if (not_after != 0 && UnixNow() > not_after) Retire(connection, "its certificate has expired");
}

std::vector<SipConnectionId> SipTransportLayer::AllConnections() const {
  std::vector<SipConnectionId> ids;
  ids.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  return ids;
}

void SipTransportLayer::ResumeReading() {
  ServeLine();
}

// In turn, so that nobody's requests wait for all of another's.
void SipTransportLayer::ServeLine() {
  if (served_ != SipConnectionId{}) return go_on_.Arm();
  while (!line_.empty() && budget_.has_more() && user_.TakesRequests()) {
    served_ = line_.front();
    line_.pop_front();
    share_left_ = kShare;
    if (SipConnection* connection = Find(served_)) {
      connection->StandInLine(false);
      connection->Resume();
    }
  }
  served_ = {};
  if (!line_.empty() && user_.TakesRequests()) go_on_.Arm();
}

void SipTransportLayer::Tick(TimePoint now) {
  for (const SipConnectionId id : AllConnections()) {
    if (SipConnection* connection = Find(id)) connection->CheckLimits(now);
    if (SipConnection* connection = Find(id)) LookAtProof(*connection, now);
    const seconds spread{static_cast<std::uint64_t>(id) % kPingSpreadSeconds};
    if (SipConnection* connection = Find(id)) connection->PingWhenIdle(now, kPingAfter + spread);
  }
}

void SipTransportLayer::FlushWritten() {
  const auto written = std::exchange(written_, {});
  for (const SipConnectionId id : written)
    if (SipConnection* connection = Find(id)) connection->Flush();
  closed_.clear();
}

SipSource SipTransportLayer::SourceOf(const SipConnection& connection) const {
  const bool tls = connection.transport() == SipTransport::kTls;
  return {.transport = connection.transport(),
          .address = connection.peer(),
          .connection = connection.id(),
          // What we connected to ourselves is the operator's or DNS's word, and a TLS peer has
          // proved its name.
          .trusted = !connection.retired_until() &&
                     (tls || connection.opened_by_us() || trust_.TrustsAddress(connection.peer())),
          .name = connection.proven_name()};
}

std::optional<std::string> SipTransportLayer::JudgeCertificate(SipConnection& connection) {
  const PeerCertificate& certificate = connection.certificate();
  if (!certificate.chain_valid) return std::nullopt;
  const std::string& expected = connection.expected_name();
  if (connection.opened_by_us() && !expected.empty()) {
    if (MatchesSipName(certificate, expected)) return expected;
    return std::nullopt;
  }
  if (const auto name = trust_.TrustedName(certificate)) return std::string(*name);
  return std::nullopt;
}

void SipTransportLayer::OnOpen(SipConnection& connection) {
  if (connection.stranger()) return;
  Log(LogLevel::kInfo, "sip-connection-open",
      {{"peer", connection.peer().ToText()},
       {"transport", ViaName(connection.transport())},
       {"name", connection.proven_name()}});
  for (auto& [key, hop] : next_hops_)
    if (hop.connection == connection.id()) hop.back_off = milliseconds{0};
}

void SipTransportLayer::OnMessage(SipConnection& connection, SipMessage& message) {
  if (!message.is_request()) budget_.OnAnswer(loop_.Now());
  user_.OnMessage(message, SourceOf(connection));
}

void SipTransportLayer::OnRefused(SipConnection& connection, const SipRefusal& refusal) {
  user_.OnRefused(refusal, SourceOf(connection));
}

bool SipTransportLayer::MayTakeRequest(SipConnection& connection) {
  const bool served = served_ == connection.id();
  const bool in_turn = served ? share_left_ > 0 : line_.empty();
  if (in_turn && user_.TakesRequests() && budget_.Take()) {
    if (served) --share_left_;
    turn_over_.Arm();
    return true;
  }
  if (!connection.in_line()) line_.push_back(connection.id());
  connection.StandInLine(true);
  if (user_.TakesRequests()) go_on_.Arm();
  return false;
}

void SipTransportLayer::OnWritten(SipConnection& connection) {
  if (written_.empty() || written_.back() != connection.id()) written_.push_back(connection.id());
  flush_.Arm();
}

void SipTransportLayer::OnClosed(SipConnection& connection, SipClosed how, std::string_view why) {
  const SipConnectionId id = connection.id();
  const bool untrusted = how == SipClosed::kTlsIdentity;
  if (untrusted) untrusted_total_ += 1;
  if (untrusted && !connection.opened_by_us())
    OnUntrusted(connection, why);
  else if (!connection.stranger())  // strangers could fill the log
    LogConnection("sip-connection-closed", connection.peer(), why,
                  untrusted ? Reason::kNextHopUntrusted : Reason::kNone);
  // Over TLS 1.3 a peer refuses our certificate after the handshake; none of our requests was read.
  const bool never_sent =
      !connection.was_open() || (how == SipClosed::kOwnRefused && !connection.heard());
  for (auto& [key, hop] : next_hops_) {
    if (hop.connection != id) continue;
    hop.connection = SipConnectionId{};
    if (!never_sent) continue;
    hop.back_off = std::clamp(hop.back_off * 2, kFirstBackOff, kMaxBackOff);
    hop.retry_at = loop_.Now() + hop.back_off;
  }
  const auto found = connections_.find(id);
  if (found != connections_.end()) {
    closed_.push_back(std::move(found->second));
    connections_.erase(found);
  }
  connections_gauge_ = static_cast<double>(connections_.size());
  flush_.Arm();
  user_.OnConnectionGone(id, FailureOf(how), never_sent, connection.last_received());
}

}  // namespace gatehouse
