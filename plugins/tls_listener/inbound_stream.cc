#include "plugins/tls_listener/inbound_stream.h"

#include <type_traits>
#include <utility>

#include "core/base/log.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/stanza_check.h"

namespace gatehouse {
namespace {

constexpr seconds kHandshakeLimit{15};              // 2.4 no. 7
constexpr std::size_t kMaxWhitespacePerTick = 100;  // 12.1 X14
constexpr seconds kProbeLimit{60};                  // 2.12
constexpr seconds kFooterLimit{2};                  // 2.16
constexpr std::size_t kStreamIdBytes = 16;          // 2.2

// What keeps a stream from being idle: a stanza, but no ping (2.12).
bool IsActivity(const proto::Element& element) {
  if (!HasStanzaName(element)) return false;
  return element.name() != "iq" || FindChild(element, "ping", ns::kPing) == nullptr;
}

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace

InboundStream::InboundStream(const Setup& setup, std::unique_ptr<TcpStream> tcp)
    : setup_(setup),
      machine_(
          setup_.rules, [] { return RandomHex(kStreamIdBytes); },
          [this](const StreamRefusal& refusal) {
            StreamRefusal whole = refusal;
            whole.address = ip_;
            return setup_.host.OnRefused(whole);
          }),
      ip_(tcp->peer().Ip()),
      brake_(setup_.loop, setup_.rate, [this](bool read) { ReadOrNot(read); }),
      accepted_at_(setup_.loop.Now()),
      last_stanza_(setup_.loop.Now()),
      last_heard_(last_stanza_) {
  transport_ = StreamTransport::Create(
      setup_.loop, std::move(tcp),
      {.on_header = [this](const StreamHeader& header) { Do(machine_.OnHeader(header)); },
       .on_element = [this](proto::Element& element, std::size_t) { OnElement(element); },
       .on_oversized = [this](const proto::Element& head) { OnOversized(head); },
       .on_footer = [this] { OnFooter(); },
       .on_bad_xml = [this](StreamCondition condition) { Do(machine_.OnBadXml(condition)); },
       .on_tls = [this](const Result<void>& result) { OnTls(result); },
       .on_closed = [this](std::string_view why) { OnClosed(why); },
       .on_writable = [this] { setup_.host.OnWritable(*this); },
       .on_whitespace =
           [this](std::size_t bytes) {
             whitespace_ += bytes;
             Heard();
           }});
  if (setup_.direct_tls) Do(machine_.OnDirectTls());
}

// Any byte proves life.
void InboundStream::Heard() {
  last_heard_ = setup_.loop.Now();
  probing_ = Probing::kNot;
}

void InboundStream::OnElement(proto::Element& element) {
  Heard();
  if (!ping_id_.empty() && IsAnswerToPing(element)) {
    machine_.CountTakenOff();
    return ping_id_.clear();
  }
  const bool open = machine_.state() == StreamState::kOpen;
  if (open && IsActivity(element)) last_stanza_ = last_heard_;
  Do(machine_.OnElement(element), &element);
  if (open) CountForBrake();
}

void InboundStream::OnOversized(const proto::Element& head) {
  Heard();
  const bool open = machine_.state() == StreamState::kOpen;
  Do(machine_.OnOversized(head));
  if (open) CountForBrake();
}

void InboundStream::CountForBrake() {
  if (brake_.OnStanza(last_heard_)) CloseWith(StreamCondition::kPolicyViolation);
}

void InboundStream::OnClosed(std::string_view why) {
  if (handshake_end_ != TimePoint::max()) setup_.host.OnHandshake(false, *this);
  setup_.host.OnGone(why, *this);
}

void InboundStream::OnTls(const Result<void>& result) {
  handshake_end_ = TimePoint::max();
  setup_.host.OnHandshake(result.has_value(), *this);
  if (result)
    return Do(machine_.OnTlsDone(
        transport_->tls()->peer(),
        [this](const std::string& anchors) -> const auto& { return PinnedVerdict(anchors); }));
  Log(LogLevel::kInfo, "handshake-failed", {{"from", ip_}, {"why", result.error().text}});
  Do(machine_.OnTlsFailed(result.error().text));
}

void InboundStream::Do(StreamMachine::Actions actions, proto::Element* element) {
  for (const StreamAction& action : actions) DoOne(action, element);
  if (std::exchange(conflicts_, false)) CloseWith(StreamCondition::kConflict);
  if (transport_->queued_bytes() > kMaxUnwrittenBytes && !ended())
    CloseWith(StreamCondition::kResourceConstraint);
}

void InboundStream::DoOne(const StreamAction& action, proto::Element* element) {
  InboundHost& host = setup_.host;
  std::visit(Overloaded{
                 [&](const SendXml& a) { transport_->Send(a.xml); },
                 [&](const BeginTls& a) { BeginTlsNow(a); },
                 [&](const RestartXml&) { transport_->RestartXml(); },
                 [&](const DialbackAnswered& a) { OnDialback(a); },
                 [&](const AskProof& a) { host.Prove(a, *this); },
                 [&](const AskJudgement& a) { host.Judge(a, *this); },
                 [&](const PairVerified& a) {
                   if (host.IsTaken(a, *this)) {
                     conflicts_ = true;
                     return;
                   }
                   if (a.first) transport_->LiftUnverifiedBudget();
                   last_stanza_ = setup_.loop.Now();
                   if (a.first) {
                     local_ = a.to;
                     remote_ = a.from;
                   }
                   host.OnPairVerified(a, *this);
                 },
                 [&](const PeerAcknowledged& a) { host.OnAcknowledged(a.h, *this); },
                 [&](const DeliverStanza& a) { host.Deliver(a, *element, *this); },
                 [&](const AnswerStanza& a) { host.Answer(a); },
                 [&](const CloseStream& a) {
                   LogEnd("stream-closed", a.why, a.reason, a.id);
                   host.OnEnd(a.why, *this);
                   transport_->Close();
                 },
                 [&](const AbortStream& a) {
                   LogEnd("stream-dropped", a.why, a.reason, a.id);
                   host.OnEnd(a.why, *this);
                   transport_->Abort();
                 },
             },
             action);
}

// A stream may be refused many pairs; the first is told of, the others are remembered.
void InboundStream::OnDialback(const DialbackAnswered& answered) {
  setup_.host.OnDialback(answered.result);
  if (answered.reason == Reason::kNone || std::exchange(told_of_dialback_, true)) return;
  Log(LogLevel::kInfo, "pair-refused",
      {{"peer", machine_.from()},
       {"from", ip_},
       {"why", answered.result},
       {"reason", ReasonCode(answered.reason)},
       {"id", answered.id}});
}

void InboundStream::LogEnd(std::string_view event, std::string_view why, Reason reason,
                           std::string_view id) const {
  if (reason == Reason::kNone)
    return Log(LogLevel::kInfo, event,
               {{"direction", "in"}, {"peer", machine_.from()}, {"from", ip_}, {"why", why}});
  Log(LogLevel::kInfo, event,
      {{"direction", "in"},
       {"peer", machine_.from()},
       {"from", ip_},
       {"why", why},
       {"reason", ReasonCode(reason)},
       {"id", id}});
}

void InboundStream::BeginTlsNow(const BeginTls& action) {
  handshake_end_ = setup_.loop.Now() + kHandshakeLimit;
  const std::string name =
      action.server_name.empty() ? "" : DomainToAscii(action.server_name).value_or("");
  transport_->StartTls(setup_.host.Tls(setup_.direct_tls), TlsSession::Role::kServer, name);
}

// Judged once for each text of anchors: a stream asks for every pair.
const PeerCertificate& InboundStream::PinnedVerdict(const std::string& anchors_pem) {
  std::string name = Sha256(anchors_pem);
  if (name == pinned_by_) return pinned_;
  pinned_ = transport_->tls()->JudgeAgainst(anchors_pem);
  pinned_by_ = std::move(name);
  return pinned_;
}

void InboundStream::JudgeBy(const std::shared_ptr<const TlsContext>& context) {
  if (transport_->tls() == nullptr) return;
  transport_->JudgeBy(context);
  pinned_by_.clear();
  OnRulesChanged();
}

std::string InboundStream::tls_version() const {
  const TlsSession* tls = transport_->tls();
  return tls == nullptr ? std::string() : tls->version();
}

const PeerCertificate* InboundStream::certificate() const {
  const TlsSession* tls = transport_->tls();
  return tls == nullptr || !tls->handshake_done() ? nullptr : &tls->peer();
}

void InboundStream::Write(std::string_view xml) {
  last_stanza_ = setup_.loop.Now();
  transport_->Send(xml);
}

void InboundStream::ReadOrNot(bool read) {
  if (!read) return transport_->PauseReading();
  Heard();  // silence begins anew
  last_stanza_ = last_heard_;
  transport_->ResumeReading();
}

void InboundStream::Tick(TimePoint now, std::int64_t unix_now) {
  if (std::exchange(whitespace_, 0) > kMaxWhitespacePerTick)
    return CloseWith(StreamCondition::kPolicyViolation);
  if (now >= handshake_end_) return Do(machine_.OnTlsFailed("the handshake did not end in time"));
  if (now >= footer_end_) return Do(machine_.OnFooterWaited());
  if (machine_.is_leaving()) return;
  if (!machine_.has_verified_pair()) {
    if (now - accepted_at_ >= setup_.times.establishment) Do(machine_.OnEstablishmentTimeout());
    return;
  }
  const std::int64_t not_after = machine_.proven_until_unix();
  if (not_after != 0 && unix_now > not_after)
    return CloseWith(StreamCondition::kReset, Reason::kCertificateRefused);
  if (brake_.is_stopped()) return;  // the peer may have spoken: we do not listen
  if (is_idle(now)) return Leave(machine_.LeaveOrderly("idle"));
  CheckLife(now);
}

// Not while the peer waits for an acknowledgement or a verdict of ours (2.12).
bool InboundStream::is_idle(TimePoint now) const {
  return setup_.times.inactivity.count() > 0 && now - last_stanza_ >= setup_.times.inactivity &&
         !machine_.has_unhandled() && !machine_.has_pending_pair() && !setup_.host.HasUnsent(*this);
}

void InboundStream::Leave(StreamMachine::Actions actions) {
  Do(actions);
  footer_end_ = setup_.loop.Now() + kFooterLimit;
}

// What the peer sent before is acknowledged first, for it would send it again (2.16).
void InboundStream::OnFooter() {
  Do(machine_.OnFooter());
  if (machine_.footer_waits() && footer_end_ == TimePoint::max())
    footer_end_ = setup_.loop.Now() + kFooterLimit;
}

// 2.12. TCP's own probes stand behind this (2.12, last line).
void InboundStream::CheckLife(TimePoint now) {
  if (now - last_heard_ >= kRestAfter) transport_->Rest();
  if (now - last_heard_ < setup_.times.keep_alive) return;
  switch (probing_) {
    case Probing::kNot:
      if (setup_.host.KeepsAlive(remote_)) Probe();
      return;
    case Probing::kSent:
      probing_ = Probing::kAwaited;
      probe_end_ = now + kProbeLimit;
      return;
    case Probing::kAwaited:
      if (now >= probe_end_) CloseWith(StreamCondition::kConnectionTimeout);
      return;
    case Probing::kAsked:
    case Probing::kByWhitespace:
      return;
  }
}

// A ping asks for a byte; white space does not, so that its silence proves nothing beyond what TCP
// knows.
void InboundStream::Probe() {
  ping_id_ = RandomHex(kStreamIdBytes);
  proto::Element ping = MakeElement("iq", ns::kServer);
  SetAttribute(ping, "from", local_);
  SetAttribute(ping, "to", remote_);
  SetAttribute(ping, "type", "get");
  SetAttribute(ping, "id", ping_id_);
  AddChild(ping, "ping", ns::kPing);
  probing_ = Probing::kAsked;
  const TimePoint active = last_stanza_;
  setup_.host.Ping(local_, remote_, ping, *this);
  last_stanza_ = active;  // a ping on this stream keeps it open no longer (2.12)
}

void InboundStream::OnPinged(std::string_view id, bool sent) {
  if (probing_ != Probing::kAsked || id != ping_id_ || ended()) return;
  probing_ = sent ? Probing::kSent : Probing::kByWhitespace;
  if (sent) return;
  ping_id_.clear();
  transport_->Send(" ");
}

bool InboundStream::IsAnswerToPing(const proto::Element& element) const {
  return Is(element, "iq", ns::kServer) && Attribute(element, "id") == ping_id_ &&
         Attribute(element, "from") == remote_ && Attribute(element, "to") == local_ &&
         machine_.state() == StreamState::kOpen;
}

}  // namespace gatehouse
