#include "core/xmpp/outbound_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/tls/tls_probe.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

constexpr milliseconds kCloseWait = seconds{5};  // 2.16

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

std::string DescribeMechanisms(const proto::Element& mechanisms) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> names;
  for (const proto::Node& node : mechanisms.children())
    if (node.has_element() && names.size() < kMost)
      names.push_back(TextOf(node.element()).substr(0, 64));
  return Join(names);
}

// The names of the features, and the mechanisms.
std::string DescribeFeatures(const proto::Element& features) {
  std::vector<std::string> names;
  for (const proto::Node& node : features.children()) {
    if (!node.has_element()) continue;
    std::string name = node.element().name().substr(0, 64);
    if (name == "mechanisms") name += "(" + DescribeMechanisms(node.element()) + ")";
    names.push_back(std::move(name));
  }
  return names.empty() ? "none" : Join(names);
}

}  // namespace

OutboundConnection::OutboundConnection(Loop& loop, OutboundDialer& dialer, Order order,
                                       Events events)
    : loop_(loop),
      dialer_(dialer),
      order_(std::move(order)),
      events_(std::move(events)),
      machine_(order_.terms),
      establishment_(loop, [this] { OnEstablishmentLimit(); }),
      state_limit_(loop, [this] { Do(machine_.OnTimeout()); }),
      close_limit_(loop, [this] { OnTransportClosed("close limit"); }),
      certificate_end_(loop, [this] { WatchCertificate(); }),
      sweep_(loop, [this] { set_aside_.clear(); }) {}

OutboundConnection::~OutboundConnection() = default;

void OutboundConnection::Start() {
  establishment_.Start(order_.establishment_limit);
  const auto ascii = DomainToAscii(order_.terms.remote);
  remote_ascii_ = ascii ? *ascii : order_.terms.remote;
  const bool tls = order_.terms.row.tls != NegotiationLevel::kNotSupported;
  const bool redirected = !order_.other_host.empty();
  const bool by_name =
      redirected && MayResolve(order_.other_host) && !NamesItsPort(order_.other_host);
  std::string proxy = redirected ? order_.other_host : order_.proxy;
  if (by_name) proxy.clear();
  dial_ =
      dialer_.Start({.domain = by_name ? order_.other_host : remote_ascii_,
                     .proxy = std::move(proxy),
                     .direct_tls = tls,
                     .dane = redirected ? DaneMode::kOff : order_.dane},
                    {.on_connected =
                         [this](std::unique_ptr<TcpStream> tcp, const OutboundTarget& target) {
                           OnConnected(std::move(tcp), target);
                         },
                     .on_failed = [this](const OutboundFault& fault) { Failed(fault, {}); },
                     .on_step = [this](std::string_view step, bool ok,
                                       std::string detail) { Tell(step, ok, std::move(detail)); },
                     .on_dane = events_.on_dane});
}

void OutboundConnection::OnConnected(std::unique_ptr<TcpStream> tcp, const OutboundTarget& target) {
  if (life_ != Life::kEstablishing) return;
  // What one target refused is no reason to do without TLS at another.
  const bool in_clear = std::exchange(in_clear_next_, false) && target == target_;
  target_ = target;
  tls_pending_ = peer_is_done_ = false;
  proven_until_unix_ = 0;
  ++generation_;
  transport_ = StreamTransport::Create(loop_, std::move(tcp), TransportEvents());
  timed_state_ = OutboundState::kIdle;
  const auto demand = dial_->dane().demands_tls() ? TlsDemand::kAlways : TlsDemand::kByRow;
  Do(in_clear ? machine_.StartInClear() : machine_.Start(target_.direct_tls, demand));
}

StreamTransport::Events OutboundConnection::TransportEvents() {
  // A transport set aside may still speak, and a peer may speak after our footer; what they say is
  // void.
  const auto current = [this, mine = generation_] { return mine == generation_; };
  const auto heard = [this, current] { return current() && life_ < Life::kClosing; };
  StreamTransport::Events events;
  events.on_header = [this, heard](const StreamHeader& header) {
    if (heard()) Do(machine_.OnHeader(header));
  };
  events.on_element = [this, heard](proto::Element& element, std::size_t) {
    if (!heard()) return;
    TellElement(element);
    const bool tells = life_ == Life::kOpen && !Is(element, "a", ns::kStreamManagement);
    element_ = &element;
    Do(machine_.OnElement(element));
    if (tells && events_.on_read) events_.on_read();
  };
  events.on_oversized = [this, heard](const proto::Element& head) {
    if (!heard()) return;
    Do(machine_.OnOversized(head));
    if (events_.on_read) events_.on_read();
  };
  events.on_whitespace = [this, heard](std::size_t) {
    if (heard() && life_ == Life::kOpen && events_.on_read) events_.on_read();
  };
  events.on_footer = [this, current] {
    if (current()) OnFooter();
  };
  events.on_bad_xml = [this, heard](StreamCondition condition) {
    if (!heard()) return;
    peer_is_done_ = true;
    Do(machine_.OnClosed("bad XML: " + std::string(StreamConditionName(condition)), condition));
  };
  events.on_tls = [this, heard](const Result<void>& done) {
    if (heard()) OnTls(done);
  };
  events.on_closed = [this, current](std::string_view why) {
    if (current()) OnTransportClosed(why);
  };
  events.on_writable = [this, heard] {
    if (heard() && events_.on_writable) events_.on_writable();
  };
  return events;
}

void OutboundConnection::Do(const OutboundActions& actions) {
  for (const OutboundAction& action : actions)
    std::visit([this](const auto& each) { DoOne(each); }, action);
  // No word would reach a peer that does not read; on_closed follows.
  if (transport_ && transport_->queued_bytes() > kMaxUnwrittenBytes) transport_->Abort();
  WatchState();
}

// The limit counts from entering the state; no byte arms it anew.
void OutboundConnection::WatchState() {
  if (machine_.state() == timed_state_) return;
  timed_state_ = machine_.state();
  const auto limit = TimeLimitOf(timed_state_);
  if (limit)
    state_limit_.Start(*limit);
  else
    state_limit_.Stop();
}

void OutboundConnection::DoOne(const outbound::SendXml& action) {
  transport_->Send(action.xml);
}

void OutboundConnection::DoOne(const outbound::OpenXml& action) {
  transport_->RestartXml();
  transport_->Send(action.header);
}

void OutboundConnection::DoOne(const outbound::BeginTls&) {
  tls_pending_ = true;
  transport_->StartTls(target_.direct_tls ? order_.direct : order_.starttls,
                       TlsSession::Role::kClient, remote_ascii_);
}

void OutboundConnection::DoOne(const outbound::ReconnectInClear&) {
  Tell("tls", false, "peer refused TLS; once more without");
  SetAsideTransport();
  in_clear_next_ = true;
  dial_->Again();
}

void OutboundConnection::DoOne(const outbound::MakeKey& action) {
  if (events_.on_make_key) events_.on_make_key(action.local, action.stream_id);
}

void OutboundConnection::DoOne(const outbound::PairOpen& action) {
  Established();
  WatchCertificate();
  if (events_.on_pair_open) events_.on_pair_open(action.local, action.method);
}

void OutboundConnection::DoOne(const outbound::PairFailed& action) {
  if (events_.on_pair_failed) events_.on_pair_failed(action.local, action.fault);
}

void OutboundConnection::DoOne(const outbound::ReadyToVerify&) {
  Established();
  if (events_.on_ready_to_verify) events_.on_ready_to_verify();
}

void OutboundConnection::DoOne(const outbound::Verified& action) {
  if (events_.on_verified) events_.on_verified(action.request, action.result);
}

void OutboundConnection::DoOne(const outbound::Acknowledged& action) {
  if (events_.on_acknowledged) events_.on_acknowledged(action.h);
}

void OutboundConnection::DoOne(const outbound::AcksRefused&) {
  if (events_.on_acks_refused) events_.on_acks_refused();
}

void OutboundConnection::DoOne(const outbound::Deliver& action) {
  if (events_.on_stanza) events_.on_stanza(action, *element_);
}

void OutboundConnection::DoOne(const outbound::AnswerStanza& action) {
  if (events_.on_answer) events_.on_answer(action);
}

void OutboundConnection::DoOne(const outbound::Dropped& action) {
  if (events_.on_dropped) events_.on_dropped(action.what);
}

void OutboundConnection::DoOne(const outbound::Fail& action) {
  if (life_ != Life::kEstablishing || !machine_.MayTryNextTarget())
    return Failed(action.fault, action.say);
  Tell("result", false, action.fault.text + "; on to the next target");
  SetAsideTransport();
  dial_->Next(action.fault);
}

void OutboundConnection::OnTls(const Result<void>& done) {
  if (!done) {
    Tell("tls", false, done.error().text);
    const TlsSession* tls = transport_->tls();
    const bool over_a_ticket = tls != nullptr && tls->offered_ticket();
    SetAsideTransport();
    if (over_a_ticket) return dial_->Again();  // a full handshake may do
    return Do(machine_.OnTlsFailed("TLS: " + done.error().text));
  }
  tls_pending_ = false;
  JudgePeer();
}

PeerCertificate OutboundConnection::JudgedPeer() const {
  const TlsSession& tls = *transport_->tls();
  return order_.trust_anchors.empty() ? tls.peer() : tls.JudgeAgainst(order_.trust_anchors);
}

bool OutboundConnection::IsRevokedBy(const std::shared_ptr<const TlsContext>& context) {
  if (life_ != Life::kOpen || proven_until_unix_ == 0) return false;
  transport_->JudgeBy(context);
  return JudgedPeer().revoked;
}

void OutboundConnection::JudgePeer() {
  const TlsSession& tls = *transport_->tls();
  const PeerCertificate peer = JudgedPeer();
  const bool named =
      MatchesXmppDomain(peer, order_.terms.remote) ||
      (dial_->dane().names_target && MatchesXmppDomain(peer, target_.host));  // RFC 7673 §4.1
  const bool ok = peer.chain_valid && named;
  proven_until_unix_ = ok ? peer.not_after_unix : 0;
  Tell("tls", true, tls.version() + " " + tls.cipher() + (tls.resumed() ? ", resumed" : ""));
  TellCertificate(peer, ok);
  JudgePeerByDane(ok, peer.revoked ? Reason::kCertificateRevoked : Reason::kCertificateRefused);
}

void OutboundConnection::JudgePeerByDane(bool pkix_ok, Reason why_not) {
  const TargetDane& dane = dial_->dane();
  if (dane.records.empty()) return Do(machine_.OnTls(pkix_ok, why_not));
  const TlsSession& tls = *transport_->tls();
  const DaneVerdict verdict = tls.JudgeByDane({.records = dane.records,
                                               .anchors_pem = order_.trust_anchors,
                                               .domain = order_.terms.remote,
                                               .target = target_.host});
  if (!verdict.matched) transport_->ForgetTickets();  // the next one shall show its chain
  if (!verdict.matched && tls.resumed()) {            // this chain is of another day
    Tell("dane", false, "resumed with a chain that matches no more; once more from the start");
    SetAsideTransport();
    return dial_->Again();
  }
  const auto result = verdict.matched ? DaneResult::kMatched : DaneResult::kMismatched;
  const bool enforced = dane.mode == DaneMode::kEnforce;
  Tell("dane", verdict.matched, verdict.detail + (enforced ? "" : "; reported only"));
  if (events_.on_dane) events_.on_dane({dane.mode, result, verdict.detail});
  if (!enforced) return Do(machine_.OnTls(pkix_ok, why_not));
  ProveByDane(verdict);
}

void OutboundConnection::ProveByDane(const DaneVerdict& verdict) {
  if (verdict.matched) {
    proven_until_unix_ = verdict.not_after_unix;
    return Do(machine_.OnTls(true));
  }
  SetAsideTransport();
  Do(machine_.OnTlsFailed("the certificate matches no TLSA record: " + verdict.detail,
                          OutboundFailure::kDaneMismatch));
}

void OutboundConnection::TellCertificate(const PeerCertificate& peer, bool ok) {
  if (!events_.on_step) return;
  if (!peer.presented) return Tell("certificate", false, "peer showed none");
  std::string detail = "names: " + Join(peer.dns_names);
  if (!peer.srv_names.empty()) detail += "; SRV: " + Join(peer.srv_names);
  if (!peer.xmpp_addrs.empty()) detail += "; XMPP: " + Join(peer.xmpp_addrs);
  detail += "; " + std::to_string((peer.not_after_unix - UnixNow()) / 86400) + " days left";
  if (!peer.chain_valid) detail += "; not trusted: " + peer.chain_error;
  if (peer.chain_valid && !ok) detail += "; does not prove " + order_.terms.remote;
  detail += "; chain: " + ShownChainText(*transport_->tls());
  Tell("certificate", ok, std::move(detail));
}

void OutboundConnection::TellElement(const proto::Element& element) {
  if (!events_.on_step) return;
  if (Is(element, "features", ns::kStream))
    return Tell("features", true, DescribeFeatures(element));
  if (element.ns() == ns::kSasl) return Tell("sasl", element.name() == "success", element.name());
  if (element.ns() != ns::kDialback) return;
  const std::string_view type = Attribute(element, "type");
  Tell("dialback", type == "valid", element.name() + " " + std::string(type));
}

// A certificate that ends takes its stream along (2.5, "Life-time").
void OutboundConnection::WatchCertificate() {
  if (life_ != Life::kOpen || proven_until_unix_ == 0) return;
  constexpr std::int64_t kLongestWait = 60;  // the clock may be set meanwhile
  const std::int64_t left = proven_until_unix_ - UnixNow();
  if (left > 0) return certificate_end_.Start(seconds{std::min(left, kLongestWait)});
  Failed({OutboundFailure::kClosed, RetryClass::kOrdinary, "peer's certificate has expired"},
         StreamCondition::kReset);
}

void OutboundConnection::OnFooter() {
  peer_is_done_ = true;
  if (life_ == Life::kClosing) return transport_->Close();
  Do(machine_.OnFooter());
}

void OutboundConnection::OnTransportClosed(std::string_view why) {
  if (life_ == Life::kClosing) {
    life_ = Life::kGone;
    ++generation_;
    close_limit_.Stop();
    return events_.on_gone();
  }
  if (life_ == Life::kGone) return;
  SetAsideTransport();
  Do(machine_.OnClosed(why.empty() ? "peer closed the connection" : std::string(why)));
}

void OutboundConnection::OnEstablishmentLimit() {
  const OutboundFault fault{.failure = OutboundFailure::kTimedOut,
                            .text = "not established in time",
                            .reason = Reason::kEstablishmentTimeout};
  Failed(fault, transport_ ? std::optional(StreamCondition::kConnectionTimeout) : std::nullopt);
}

void OutboundConnection::SetAsideTransport() {
  if (!transport_) return;
  ++generation_;
  set_aside_.push_back(std::move(transport_));
  sweep_.Start(milliseconds{0});
}

void OutboundConnection::Established() {
  if (life_ != Life::kEstablishing) return;
  life_ = Life::kOpen;
  establishment_.Stop();
  transport_->LiftUnverifiedBudget();
}

void OutboundConnection::Failed(const OutboundFault& fault, std::optional<StreamCondition> say) {
  if (life_ == Life::kClosing || life_ == Life::kGone) return;
  SayGoodbye(say ? StreamErrorXml(*say) : std::string(kStreamFooter));
  if (events_.on_failed) events_.on_failed(fault);
}

void OutboundConnection::Close() {
  SayGoodbye(kStreamFooter);
}
void OutboundConnection::Close(StreamCondition say) {
  SayGoodbye(StreamErrorXml(say));
}
void OutboundConnection::CloseSaying(std::string_view end) {
  SayGoodbye(end);
}

void OutboundConnection::SayGoodbye(std::string_view end) {
  if (life_ == Life::kClosing || life_ == Life::kGone) return;
  life_ = Life::kClosing;
  establishment_.Stop();
  state_limit_.Stop();
  certificate_end_.Stop();
  if (!transport_ || tls_pending_) return close_limit_.Start(milliseconds{0});
  transport_->Send(machine_.LastWord());
  transport_->Send(end);
  if (peer_is_done_) transport_->Close();
  close_limit_.Start(kCloseWait);
}

void OutboundConnection::ReadOrNot(bool read) {
  if (!transport_ || life_ != Life::kOpen) return;
  if (read)
    transport_->ResumeReading();
  else
    transport_->PauseReading();
}

void OutboundConnection::GiveKey(std::string_view local, std::string_view key) {
  Do(machine_.OnKey(local, key));
}

void OutboundConnection::AddPair(std::string_view local) {
  Do(machine_.AddPair(std::string(local)));
}

void OutboundConnection::GiveUpPair(std::string_view local) {
  Do(machine_.OnPairTimeout(local));
}

void OutboundConnection::Verify(VerifyRequest request) {
  Do(machine_.Verify(std::move(request)));
}

std::string OutboundConnection::peer_address() const {
  return transport_ ? transport_->peer().ToText() : std::string();
}

std::string OutboundConnection::peer_sha256() const {
  const bool in_tls = transport_ && machine_.in_tls() && transport_->tls() != nullptr;
  return in_tls ? transport_->tls()->peer().sha256 : std::string();
}

std::string OutboundConnection::tls_version() const {
  const bool in_tls = transport_ && machine_.in_tls() && transport_->tls() != nullptr;
  return in_tls ? transport_->tls()->version() : std::string();
}

void OutboundConnection::Tell(std::string_view step, bool ok, std::string detail) const {
  if (events_.on_step) events_.on_step(step, ok, std::move(detail));
}

}  // namespace gatehouse
