// Stanzas of the peer's on a stream that we opened (2.14). XEP-0288
#include <utility>

#include "core/xmpp/element.h"
#include "core/xmpp/outbound_machine.h"
#include "core/xmpp/stanza_check.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

OutboundFault Misbehaved(std::string text) {
  return {OutboundFailure::kClosed, RetryClass::kOrdinary, std::move(text)};
}

}  // namespace

// Said before we prove ourselves, and only where the peer is proven too: by its certificate, or by
// being whom DNS names for the domain, which is all that a key of its own would prove.
void OutboundMachine::AskForTheirs(const proto::Element& features, OutboundActions& actions) {
  const bool offered = FindChild(features, "bidi", ns::kBidiFeature) != nullptr;
  const bool wanted = terms_.takes_theirs && terms_.purpose == OutboundPurpose::kSendStanzas;
  if (!offered || !wanted || state_ == OutboundState::kClosed) return;
  if (methods_.sasl_tls && certificate_ok_)
    their_method_ = proto::SASL_TLS;
  else if (methods_.tls_dialback)
    their_method_ = proto::TLS_DIALBACK;
  else
    return;
  actions.insert(actions.begin(), outbound::SendXml{XmlOf(MakeElement("bidi", ns::kBidi))});
}

const std::string* OutboundMachine::PairOfStanza(const proto::Element& element,
                                                 OutboundActions& refused) {
  const auto refuse = [&](std::string why, StreamCondition say) {
    refused = Refuse(Misbehaved(std::move(why)), say);
    return nullptr;
  };
  if (state_ != OutboundState::kOpen)
    return refuse("a stanza before any pair is open", StreamCondition::kNotAuthorized);
  StanzaDomains domains;
  if (const auto read = ReadDomains(element, domains); !read)
    return refuse("a stanza that cannot be addressed", read.error());
  if (domains.from != terms_.remote)
    return refuse("a stanza from another domain", StreamCondition::kInvalidFrom);
  const auto pair = pairs_.find(domains.to);
  if (pair == pairs_.end() || pair->second != PairState::kOpen)
    return refuse("a stanza to a domain this stream is not for", StreamCondition::kHostUnknown);
  return &pair->first;
}

OutboundActions OutboundMachine::OnStanza(const proto::Element& element) {
  OutboundActions refused;
  const std::string* local = PairOfStanza(element, refused);
  if (local == nullptr) return refused;
  switch (ShapeOf(element)) {
    case IqShape::kInvalidXml:
      return Refuse(Misbehaved("an iq of no type"), StreamCondition::kInvalidXml);
    case IqShape::kBadRequest:
      return RefuseStanza(element, *local, proto::BAD_REQUEST);
    case IqShape::kSound:
      break;
  }
  return {outbound::Deliver{*local, their_method_, Take()}};
}

// An error is never answered with an error. RFC 6120 §8.3.1
OutboundActions OutboundMachine::RefuseStanza(const proto::Element& element,
                                              const std::string& local,
                                              proto::StanzaCondition condition) {
  CountHandled(Take());
  if (Attribute(element, "type") == "error") return {};
  return {outbound::AnswerStanza{local, MakeErrorReply(element, condition)}};
}

OutboundActions OutboundMachine::OnOversized(const proto::Element& head) {
  if (state_ == OutboundState::kClosed) return {};
  if (their_method_ == proto::AUTH_METHOD_NONE) return {outbound::Dropped{"an oversized element"}};
  OutboundActions refused;
  const std::string* local = PairOfStanza(head, refused);
  return local == nullptr ? refused : RefuseStanza(head, *local, proto::POLICY_VIOLATION);
}

// Further domains of the peer, and keys of its other streams, need a stream of its own; told so, it
// need not wait for an answer.
OutboundActions OutboundMachine::RefuseRequest(const proto::Element& element) {
  const bool known = element.name() == "result" || element.name() == "verify";
  if (their_method_ == proto::AUTH_METHOD_NONE || state_ != OutboundState::kOpen || !known)
    return {outbound::Dropped{"a dialback request on an outbound stream"}};
  proto::Element answer = MakeErrorReply(element, proto::FEATURE_NOT_IMPLEMENTED);
  answer.mutable_children(0)->mutable_element()->set_ns(std::string(ns::kServer));
  return {outbound::SendXml{XmlOf(answer)}};
}

// --- acknowledgements

bool OutboundMachine::CountHandled(std::uint64_t number) {
  if (number == 0) return false;
  handled_.Handle(number);
  return ack_given_ < ack_wanted_ && handled_.handled() >= ack_wanted_;
}

OutboundActions OutboundMachine::OnAcksDue() {
  if (state_ == OutboundState::kClosed || ack_given_ >= handled_.handled()) return {};
  ack_given_ = handled_.handled();
  return {outbound::SendXml{AckXml(handled_.h())}};
}

std::string OutboundMachine::LastWord() const {
  const bool counts = has_acks_ && their_method_ != proto::AUTH_METHOD_NONE;
  return counts && handled_.handled() > ack_given_ ? AckXml(handled_.h()) : std::string();
}

}  // namespace gatehouse
