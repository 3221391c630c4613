// How an inbound stream ends, and what is remembered of it.
#include <algorithm>
#include <utility>

#include "core/xmpp/stream_machine.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {

NotedRefusal StreamMachine::Note(Reason reason, std::string_view answer, std::string detail) {
  return Note(reason, answer, std::move(detail), header_.claims, header_.asks_for);
}

NotedRefusal StreamMachine::Note(Reason reason, std::string_view answer, std::string detail,
                                 std::string_view remote, std::string_view local) {
  if (!note_ || reason == Reason::kNone) return {};
  const bool proven = std::ranges::any_of(
      pairs_, [&](const Pair& pair) { return pair.verified() && pair.from == remote; });
  return note_({.local = local,
                .remote = remote,
                .reason = reason,
                .answer = answer,
                .detail = std::move(detail),
                .proven = proven});
}

void StreamMachine::End(StreamCondition condition, Reason reason, std::string detail) {
  NotedRefusal noted = Note(reason, StreamConditionName(condition), std::move(detail));
  if (!header_sent_) SendHeader(header_);
  if (handled_) SendAck();
  Send(StreamErrorXml(condition, ToldText(ToldOfStreams(reason), noted.id)));
  state_ = StreamState::kClosed;
  Do(CloseStream{StreamConditionName(condition), reason, std::move(noted.id)});
}

void StreamMachine::EndOrderly(std::string_view why, Reason reason, std::string id) {
  if (handled_) SendAck();
  Send(std::string(kStreamFooter));
  state_ = StreamState::kClosed;
  Do(CloseStream{why, reason, std::move(id)});
}

void StreamMachine::Abort(std::string_view why, Reason reason, std::string detail) {
  NotedRefusal noted = Note(reason, {}, std::move(detail));
  state_ = StreamState::kClosed;
  Do(AbortStream{why, reason, std::move(noted.id)});
}

void StreamMachine::EndBareTls() {
  NotedRefusal noted = Note(Reason::kMethodNotPermitted, "failure", "STARTTLS was not offered");
  Send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  EndOrderly("starttls-refused", Reason::kMethodNotPermitted, std::move(noted.id));
}

StreamMachine::Actions StreamMachine::CloseWith(StreamCondition condition, Reason reason) {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  if (state_ != StreamState::kHandshake)
    End(condition, reason);
  else
    Abort(StreamConditionName(condition), reason);
  return actions_;
}

StreamMachine::Actions StreamMachine::CloseOrderly(std::string_view why) {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  if (header_sent_) {
    EndOrderly(why);
  } else {
    Abort(why);
  }
  return actions_;
}

bool StreamMachine::MayLeave() const {
  return state_ == StreamState::kOpen && !handled_ && !bidi_ && !leaving_;
}

void StreamMachine::Leave(std::string footer, std::string_view why) {
  Send(std::move(footer));
  leaving_ = true;
  leaving_why_ = why;
}

StreamMachine::Actions StreamMachine::LeaveForShutdown() {
  if (!MayLeave()) return CloseWith(StreamCondition::kSystemShutdown);
  Begin();
  constexpr auto kCondition = StreamCondition::kSystemShutdown;
  Leave(StreamErrorXml(kCondition), StreamConditionName(kCondition));
  return actions_;
}

StreamMachine::Actions StreamMachine::LeaveOrderly(std::string_view why) {
  if (!MayLeave()) return CloseOrderly(why);
  Begin();
  Leave(std::string(kStreamFooter), why);
  return actions_;
}

const PeerCertificate* StreamMachine::CertificateFor(std::string_view domain) const {
  const proto::Partner* partner = rules_.FindPartner(domain);
  const bool pinned = partner != nullptr && !partner->trust_anchors().empty();
  if (certificate_ == nullptr || !pinned) return certificate_;
  return judge_ ? &judge_(partner->trust_anchors()) : nullptr;
}

std::string StreamMachine::WhyNotProven(std::string_view domain) const {
  if (certificate_ == nullptr) return "no TLS";
  const PeerCertificate* const judged = CertificateFor(domain);
  return judged == nullptr ? std::string() : CertificateTrouble(*judged, domain);
}

Reason StreamMachine::ReasonNotProven(std::string_view domain) const {
  const PeerCertificate* const judged = CertificateFor(domain);
  const bool revoked = judged != nullptr && judged->revoked;
  return revoked ? Reason::kCertificateRevoked : Reason::kCertificateRefused;
}

}  // namespace gatehouse
