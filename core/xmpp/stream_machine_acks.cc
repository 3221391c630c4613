// Acknowledgements on an inbound stream (2.13). XEP-0198, without resumption.
#include <algorithm>
#include <utility>

#include "core/xmpp/element.h"
#include "core/xmpp/stream_machine.h"

namespace gatehouse {

void StreamMachine::TakeAckElement(const proto::Element& element) {
  if (element.name() == "enable") return TakeEnable();
  if (element.name() == "resume") return RefuseAcks("feature-not-implemented");
  if (!handled_) return End(StreamCondition::kUnsupportedStanzaType);
  if (element.name() == "r") {
    ack_wanted_ = handled_->taken();
    return SendAck();
  }
  if (element.name() != "a") return End(StreamCondition::kUnsupportedStanzaType);
  const auto h = ParseHandled(Attribute(element, "h"));
  if (!h) return End(StreamCondition::kInvalidXml);
  if (bidi_) return Do(PeerAcknowledged{*h});
  if (*h != 0) EndFalseAck(*h, 0);  // we send no stanza here
}

void StreamMachine::EndFalseAck(std::uint32_t h, std::uint64_t sent) {
  SendAck();
  Send(HandledTooHighXml(h, sent));
  state_ = StreamState::kClosed;
  Do(CloseStream{StreamConditionName(StreamCondition::kUndefinedCondition)});
}

StreamMachine::Actions StreamMachine::OnFalseAck(std::uint32_t h, std::uint64_t sent) {
  Begin();
  if (state_ != StreamState::kClosed) EndFalseAck(h, sent);
  return actions_;
}

void StreamMachine::TakeEnable() {
  if (state_ != StreamState::kOpen || handled_) return RefuseAcks("unexpected-request");
  handled_.emplace();
  Send("<enabled xmlns='urn:xmpp:sm:3'/>");
}

void StreamMachine::RefuseAcks(std::string_view condition) {
  std::string xml = "<failed xmlns='urn:xmpp:sm:3'><";
  xml += condition;
  Send(xml += " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
}

void StreamMachine::SendAck() {
  ack_given_ = handled_->handled();
  Send(AckXml(handled_->h()));
}

bool StreamMachine::CountHandled(std::uint64_t number) {
  handled_->Handle(number);
  if (footer_waits_) return !has_unhandled();
  return ack_given_ < ack_wanted_ && handled_->handled() >= ack_wanted_;
}

void StreamMachine::CountTakenOff() {
  if (handled_) handled_->Handle(handled_->Take());
}

StreamMachine::Actions StreamMachine::OnAcksDue() {
  Begin();
  if (footer_waits_) return has_unhandled() ? actions_ : OnFooterWaited();
  if (state_ != StreamState::kClosed && ack_given_ < handled_->handled()) SendAck();
  return actions_;
}

StreamMachine::Actions StreamMachine::OnFooterWaited() {
  Begin();
  if (std::exchange(footer_waits_, false)) EndOrderly("peer-closed");
  if (is_leaving()) EndOrderly(leaving_why_);
  return actions_;
}

bool StreamMachine::has_pending_pair() const {
  return std::ranges::any_of(pairs_, [](const Pair& pair) { return !pair.verified(); });
}

}  // namespace gatehouse
