#include "core/xmpp/outbound_machine.h"

#include <algorithm>
#include <utility>

#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/stanza_check.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

bool IsVersion1(const StreamHeader& header) {
  return header.has_version && !header.version.empty() && header.version.front() != '0';
}

OutboundFault Negotiation(std::string text, Reason reason = Reason::kNegotiationFailed) {
  return {.failure = OutboundFailure::kNegotiation,
          .retry = RetryClass::kConfigured,
          .text = std::move(text),
          .reason = reason};
}

// The condition of an <error/> or <stream:error/>: the name of its first child in `ns`.
std::string_view ConditionIn(const proto::Element& error, std::string_view ns) {
  for (const proto::Node& node : error.children()) {
    if (node.has_element() && node.element().ns() == ns && node.element().name() != "text")
      return node.element().name();
  }
  return {};
}

bool OffersExternal(const proto::Element& features) {
  const proto::Element* mechanisms = FindChild(features, "mechanisms", ns::kSasl);
  if (mechanisms == nullptr) return false;
  return std::ranges::any_of(mechanisms->children(), [](const proto::Node& node) {
    return node.has_element() && Is(node.element(), "mechanism", ns::kSasl) &&
           TextOf(node.element()) == "EXTERNAL";
  });
}

bool IsKnownFeature(const proto::Element& feature) {
  return feature.ns() == ns::kTls || feature.ns() == ns::kSasl ||
         feature.ns() == ns::kDialbackFeature || feature.ns() == ns::kStreamManagement ||
         feature.ns() == ns::kBidiFeature;
}

// A feature we do not know that says <required/>. RFC 6120 §4.3.2
bool DemandsUnknown(const proto::Element& features) {
  return std::ranges::any_of(features.children(), [](const proto::Node& node) {
    return node.has_element() && !IsKnownFeature(node.element()) &&
           FindChild(node.element(), "required", node.element().ns()) != nullptr;
  });
}

// RFC 6120 shows the host with line breaks around it.
std::string Trimmed(const std::string& text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::string DialbackXml(std::string_view name, std::string_view from, std::string_view to,
                        std::string_view id, std::string_view key) {
  proto::Element element = MakeElement(name, ns::kDialback);
  SetAttribute(element, "from", from);
  SetAttribute(element, "to", to);
  if (!id.empty()) SetAttribute(element, "id", id);
  AddText(element, key);
  std::string xml;
  AppendXml(xml, element);
  return xml;
}

bool SameDomain(std::string_view presented, std::string_view prepared) {
  if (presented == prepared) return true;
  const auto domain = PrepareDomain(presented);
  return domain && *domain == prepared;
}

// A dialback error of a pair (3.6): what must change before trying again.
OutboundFault ResultFault(const proto::Element& element) {
  const proto::Element* error = FindChild(element, "error", ns::kServer);
  if (error == nullptr) error = FindChild(element, "error", ns::kDialback);
  const std::string condition(error == nullptr ? "" : ConditionIn(*error, ns::kStanzaErrors));
  const bool setting = condition == "policy-violation" || condition == "not-authorized" ||
                       condition == "not-allowed";
  return {OutboundFailure::kDialbackError,
          setting ? RetryClass::kConfigured : RetryClass::kOrdinary,
          "dialback error " + (condition.empty() ? "without condition" : condition.substr(0, 64)),
          {},
          DemandOf(condition),
          Reason::kNone};
}

MethodSet NarrowedBy(OutboundDemand demand, MethodSet methods) {
  const bool certificate = demand == OutboundDemand::kCertificate;
  if (certificate) methods.tls_dialback = false;
  if (certificate || demand == OutboundDemand::kTls) methods.tcp_dialback = false;
  return methods;
}

}  // namespace

std::string_view OutboundStateName(OutboundState state) {
  static constexpr std::array<std::string_view, 13> kNames = {"idle",
                                                              "await-header",
                                                              "await-features",
                                                              "await-proceed",
                                                              "handshake",
                                                              "await-tls-header",
                                                              "await-tls-features",
                                                              "await-sasl",
                                                              "await-auth-header",
                                                              "await-auth-features",
                                                              "proving",
                                                              "open",
                                                              "closed"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::optional<seconds> TimeLimitOf(OutboundState state) {
  switch (state) {
    case OutboundState::kIdle:
    case OutboundState::kOpen:
    case OutboundState::kClosed:
      return std::nullopt;
    case OutboundState::kProving:
      return seconds{45};
    case OutboundState::kAwaitHeader:
    case OutboundState::kAwaitFeatures:
    case OutboundState::kAwaitProceed:
    case OutboundState::kHandshake:
    case OutboundState::kAwaitTlsHeader:
    case OutboundState::kAwaitTlsFeatures:
    case OutboundState::kAwaitSasl:
    case OutboundState::kAwaitAuthHeader:
    case OutboundState::kAwaitAuthFeatures:
      return seconds{15};
  }
  std::unreachable();
}

OutboundMachine::OutboundMachine(OutboundTerms terms)
    : terms_(std::move(terms)), methods_(NarrowedBy(terms_.demand, PermittedMethods(terms_.row))) {}

void OutboundMachine::Step(OutboundEvent event) {
  const auto next = Next(state_, event);
  GATEHOUSE_CHECK(next.has_value());  // callers ask only for steps of the table
  state_ = *next;
}

OutboundActions OutboundMachine::OpenXml(OutboundEvent event) {
  Step(event);
  stream_id_.clear();
  peer_does_dialback_ = offers_acks_ = false;
  const bool dialback = terms_.row.dialback || terms_.purpose == OutboundPurpose::kVerifyKeys;
  return {outbound::OpenXml{StreamHeaderXml(
      {.from = terms_.local, .to = terms_.remote, .id = {}, .dialback = dialback})}};
}

OutboundActions OutboundMachine::Start(bool direct_tls, TlsDemand demand) {
  state_ = OutboundState::kIdle;
  tls_demand_ = demand;
  in_tls_ = without_tls_ = certificate_ok_ = key_refused_ = offers_acks_ = has_acks_ = false;
  method_ = their_method_ = proto::AUTH_METHOD_NONE;
  handled_ = {};
  ack_wanted_ = ack_given_ = 0;
  pairs_.clear();
  verifying_.clear();
  if (!direct_tls) return OpenXml(OutboundEvent::kConnected);
  Step(OutboundEvent::kConnectedForTls);
  return {outbound::BeginTls{}};
}

OutboundActions OutboundMachine::StartInClear() {
  OutboundActions actions = Start(false);
  without_tls_ = true;
  return actions;
}

OutboundActions OutboundMachine::Refuse(OutboundFault fault, std::optional<StreamCondition> say) {
  const bool early = state_ < OutboundState::kAwaitTlsFeatures;
  may_try_next_target_ = early && (fault.failure == OutboundFailure::kTlsFailed ||
                                   fault.failure == OutboundFailure::kDaneMismatch ||
                                   fault.failure == OutboundFailure::kTimedOut ||
                                   fault.failure == OutboundFailure::kClosed);
  Step(OutboundEvent::kRefused);
  return {outbound::Fail{std::move(fault), say}};
}

OutboundActions OutboundMachine::OnHeader(const StreamHeader& header) {
  if (!Next(state_, OutboundEvent::kHeader)) return {outbound::Dropped{"a stream header"}};
  if (header.ns != ns::kStream || header.name != "stream" || header.default_ns != ns::kServer)
    return Refuse({OutboundFailure::kClosed, {}, "header in a wrong namespace"},
                  StreamCondition::kInvalidNamespace);
  if (header.has_from && !SameDomain(header.from, terms_.remote))
    return Refuse(Negotiation("peer answered as another domain"), StreamCondition::kInvalidFrom);
  Step(OutboundEvent::kHeader);
  stream_id_ = header.id;
  peer_does_dialback_ = header.declares_dialback;
  if (IsVersion1(header)) return {};
  // No features will come. RFC 6120 §4.7.5
  if (state_ == OutboundState::kAwaitFeatures) return ChooseInClear(false);
  return Refuse(Negotiation("peer speaks a stream version before 1.0 inside TLS"),
                StreamCondition::kUnsupportedVersion);
}

OutboundActions OutboundMachine::OnElement(const proto::Element& element) {
  if (state_ == OutboundState::kClosed) return {};
  if (Is(element, "error", ns::kStream)) return OnStreamError(element);
  if (element.ns() == ns::kDialback) return OnDialbackElement(element);
  if (element.ns() == ns::kStreamManagement) return OnAckElement(element);
  if (their_method_ != proto::AUTH_METHOD_NONE && HasStanzaName(element)) return OnStanza(element);
  switch (state_) {
    case OutboundState::kAwaitFeatures:
    case OutboundState::kAwaitTlsFeatures:
    case OutboundState::kAwaitAuthFeatures:
      return Is(element, "features", ns::kStream) ? OnFeatures(element) : Unexpected(element);
    case OutboundState::kAwaitProceed:
      return OnTlsElement(element);
    case OutboundState::kAwaitSasl:
      return OnSaslElement(element);
    case OutboundState::kProving:
    case OutboundState::kOpen:
      if (HasStanzaName(element)) CountHandled(Take());
      return {outbound::Dropped{"<" + element.name().substr(0, 32) + "/> on an outbound stream"}};
    case OutboundState::kIdle:
    case OutboundState::kAwaitHeader:
    case OutboundState::kHandshake:
    case OutboundState::kAwaitTlsHeader:
    case OutboundState::kAwaitAuthHeader:
    case OutboundState::kClosed:
      return Unexpected(element);
  }
  std::unreachable();
}

OutboundActions OutboundMachine::OnStreamError(const proto::Element& error) {
  OutboundFault fault = StreamErrorFault(ConditionIn(error, ns::kStreamErrors));
  const proto::Element* elsewhere = FindChild(error, "see-other-host", ns::kStreamErrors);
  if (elsewhere != nullptr && in_tls_ && certificate_ok_) {
    constexpr std::size_t kMaxHostBytes = 261;  // a domain name with a port
    fault.other_host = Trimmed(TextOf(*elsewhere));
    if (fault.other_host.size() > kMaxHostBytes) fault.other_host.clear();
  }
  return Refuse(std::move(fault));
}

OutboundActions OutboundMachine::Unexpected(const proto::Element& element) {
  return Refuse({OutboundFailure::kClosed,
                 {},
                 "unexpected <" + element.name().substr(0, 32) + "/> in state " +
                     std::string(OutboundStateName(state_))},
                StreamCondition::kUnsupportedStanzaType);
}

OutboundActions OutboundMachine::OnFeatures(const proto::Element& features) {
  if (DemandsUnknown(features))
    return Refuse(Negotiation("peer requires a feature unknown here"),
                  StreamCondition::kUnsupportedFeature);
  if (FindChild(features, "dialback", ns::kDialbackFeature) != nullptr) peer_does_dialback_ = true;
  offers_acks_ = FindChild(features, "sm", ns::kStreamManagement) != nullptr;
  if (state_ == OutboundState::kAwaitFeatures)
    return ChooseInClear(FindChild(features, "starttls", ns::kTls) != nullptr);
  if (state_ == OutboundState::kAwaitTlsFeatures) {
    OutboundActions actions = ChooseInTls(OffersExternal(features));
    AskForTheirs(features, actions);
    return actions;
  }
  Step(OutboundEvent::kChoseOpen);
  method_ = proto::SASL_TLS;
  pairs_[terms_.local] = PairState::kOpen;
  return Opened(terms_.local);
}

// 3.4 up to step T; column "TLS" of 4.6.
OutboundActions OutboundMachine::ChooseInClear(bool tls_offered) {
  const bool tls_demanded = tls_demand_ == TlsDemand::kAlways;
  const bool tls_wanted = terms_.row.tls != NegotiationLevel::kNotSupported && !without_tls_;
  if (tls_demanded || (tls_wanted && (tls_offered || !methods_.tcp_dialback))) {
    Step(OutboundEvent::kChoseTls);
    std::string xml;
    AppendXml(xml, MakeElement("starttls", ns::kTls));
    return {outbound::SendXml{std::move(xml)}};
  }
  if (!methods_.tcp_dialback) return Refuse(Negotiation("peer offers no TLS"));
  if (tls_wanted && !terms_.may_go_clear)
    return Refuse({.failure = OutboundFailure::kTlsFailed,
                   .retry = RetryClass::kConfigured,
                   .text = "peer offers no TLS, but did within the last 30 days",
                   .reason = Reason::kDowngradeRefused});
  return ChooseDialback();
}

// 3.4 from step T on; column "then" of 4.6.
OutboundActions OutboundMachine::ChooseInTls(bool external_offered) {
  if (terms_.purpose == OutboundPurpose::kVerifyKeys) return ChooseDialback();
  if (methods_.sasl_tls && external_offered && certificate_ok_ && terms_.shows_certificate) {
    Step(OutboundEvent::kChoseSasl);
    proto::Element auth = MakeElement("auth", ns::kSasl);
    SetAttribute(auth, "mechanism", "EXTERNAL");
    AddText(auth, Base64(terms_.local));
    std::string xml;
    AppendXml(xml, auth);
    return {outbound::SendXml{std::move(xml)}};
  }
  if (methods_.tls_dialback && peer_does_dialback_) return ChooseDialback();
  if (methods_.sasl_tls && !certificate_ok_)
    return Refuse(Negotiation("peer's certificate does not prove its domain", why_no_certificate_));
  if (methods_.sasl_tls && !terms_.shows_certificate)
    return Refuse(Negotiation("SASL EXTERNAL needs a certificate of ours"));
  if (methods_.sasl_tls && !external_offered)
    return Refuse(Negotiation("peer does not offer SASL EXTERNAL"));
  return Refuse(Negotiation("peer does not offer dialback"));
}

OutboundActions OutboundMachine::ChooseDialback() {
  if (terms_.purpose == OutboundPurpose::kVerifyKeys) {
    Step(OutboundEvent::kChoseOpen);
    return {outbound::ReadyToVerify{}};
  }
  if (stream_id_.empty()) return Refuse(Negotiation("peer's header has no id: no dialback"));
  Step(OutboundEvent::kChoseDialback);
  method_ = in_tls_ ? proto::TLS_DIALBACK : proto::TCP_DIALBACK;
  pairs_[terms_.local] = PairState::kAwaitKey;
  return {outbound::MakeKey{terms_.local, stream_id_}};
}

OutboundActions OutboundMachine::OnTlsElement(const proto::Element& element) {
  if (Is(element, "failure", ns::kTls)) return TlsRefused();
  if (!Is(element, "proceed", ns::kTls)) return Unexpected(element);
  Step(OutboundEvent::kProceed);
  return {outbound::BeginTls{}};
}

OutboundActions OutboundMachine::TlsRefused() {
  if (methods_.tcp_dialback && terms_.may_go_clear && tls_demand_ == TlsDemand::kByRow) {
    Step(OutboundEvent::kRefused);
    return {outbound::ReconnectInClear{}};
  }
  const bool guarded = methods_.tcp_dialback && tls_demand_ == TlsDemand::kByRow;
  return Refuse({.failure = OutboundFailure::kTlsFailed,
                 .retry = RetryClass::kOrdinary,
                 .text = "peer refused STARTTLS",
                 .reason = guarded ? Reason::kDowngradeRefused : Reason::kNone});
}

OutboundActions OutboundMachine::OnTls(bool certificate_ok, Reason why_not) {
  if (!Next(state_, OutboundEvent::kTlsDone)) return {};
  in_tls_ = true;
  certificate_ok_ = certificate_ok;
  why_no_certificate_ = why_not;
  return OpenXml(OutboundEvent::kTlsDone);
}

OutboundActions OutboundMachine::OnTlsFailed(std::string why, OutboundFailure failure) {
  if (state_ == OutboundState::kClosed) return {};
  return Refuse({failure, RetryClass::kOrdinary, std::move(why)});
}

OutboundActions OutboundMachine::OnSaslElement(const proto::Element& element) {
  if (Is(element, "success", ns::kSasl)) return OpenXml(OutboundEvent::kSaslSuccess);
  if (!Is(element, "failure", ns::kSasl)) return Unexpected(element);
  if (methods_.tls_dialback && peer_does_dialback_) return ChooseDialback();
  return Refuse(Negotiation("peer refused SASL EXTERNAL: " +
                            std::string(ConditionIn(element, ns::kSasl).substr(0, 64))));
}

OutboundActions OutboundMachine::OnKey(std::string_view local, std::string_view key) {
  if (state_ == OutboundState::kClosed) return {};  // asked for before the stream ended
  const auto pair = pairs_.find(local);
  if (pair == pairs_.end() || pair->second != PairState::kAwaitKey) return {};
  if (key.empty())
    return PairRefused(pair->first, {.failure = OutboundFailure::kOverload,
                                     .text = "no dialback key was made",
                                     .reason = Reason::kWorkerAway});
  pair->second = PairState::kAwaitResult;
  return {outbound::SendXml{DialbackXml("result", local, terms_.remote, {}, key)}};
}

OutboundActions OutboundMachine::OnDialbackElement(const proto::Element& element) {
  const std::string_view type = Attribute(element, "type");
  if (type.empty()) return RefuseRequest(element);
  if (element.name() == "result") return OnResult(element, type);
  if (element.name() == "verify") return OnVerifyAnswer(element, type);
  return {outbound::Dropped{"an unknown dialback element"}};
}

// The table of 3.6.
OutboundActions OutboundMachine::OnResult(const proto::Element& element, std::string_view type) {
  const auto pair = std::ranges::find_if(pairs_, [&](const auto& each) {
    return each.second == PairState::kAwaitResult &&
           SameDomain(Attribute(element, "to"), each.first);
  });
  if (pair == pairs_.end() || !SameDomain(Attribute(element, "from"), terms_.remote))
    return {outbound::Dropped{"a dialback result without request"}};
  if (type == "valid") {
    pair->second = PairState::kOpen;
    Step(OutboundEvent::kPairProven);
    return Opened(pair->first);
  }
  if (type != "invalid") return PairRefused(pair->first, ResultFault(element));
  key_refused_ = true;
  return PairRefused(pair->first,
                     {OutboundFailure::kKeyRefused, {}, "our dialback key was refused"});
}

// Stanzas are counted from <enable/> on, which need not wait for its answer. XEP-0198 §4
OutboundActions OutboundMachine::Opened(std::string local) {
  OutboundActions actions;
  if (std::exchange(offers_acks_, false)) {
    has_acks_ = true;
    handled_ = {};
    actions.emplace_back(outbound::SendXml{std::string(kEnableAcksXml)});
  }
  actions.emplace_back(outbound::PairOpen{std::move(local), method_});
  return actions;
}

OutboundActions OutboundMachine::OnAckElement(const proto::Element& element) {
  if (!has_acks_) return {outbound::Dropped{"an acknowledgement element nobody asked for"}};
  if (element.name() == "enabled") return {};
  if (element.name() == "r") {
    ack_wanted_ = handled_.taken();
    ack_given_ = handled_.handled();
    return {outbound::SendXml{AckXml(handled_.h())}};
  }
  if (element.name() == "failed") {
    has_acks_ = false;
    return {outbound::AcksRefused{}};
  }
  if (element.name() != "a") return Unexpected(element);
  if (const auto h = ParseHandled(Attribute(element, "h"))) return {outbound::Acknowledged{*h}};
  return Refuse({OutboundFailure::kClosed, RetryClass::kOrdinary, "an acknowledgement of nothing"},
                StreamCondition::kInvalidXml);
}

// A dialback error leaves the stream to the other pairs; without any it has no use.
OutboundActions OutboundMachine::PairRefused(std::string local, OutboundFault fault) {
  pairs_.erase(local);
  if (pairs_.empty()) return Refuse(std::move(fault));
  return {outbound::PairFailed{std::move(local), std::move(fault)}};
}

OutboundActions OutboundMachine::OnVerifyAnswer(const proto::Element& element,
                                                std::string_view type) {
  const auto pending = std::ranges::find_if(verifying_, [&](const VerifyRequest& request) {
    return Attribute(element, "id") == request.id &&
           SameDomain(Attribute(element, "from"), request.to) &&
           SameDomain(Attribute(element, "to"), request.from);
  });
  if (pending == verifying_.end()) return {outbound::Dropped{"a verify answer without request"}};
  VerifyRequest request = std::move(*pending);
  verifying_.erase(pending);
  VerifyResult result = VerifyResult::kError;
  if (type == "valid") result = VerifyResult::kValid;
  if (type == "invalid") result = VerifyResult::kInvalid;
  if (type == "error" && ResultFault(element).text.ends_with(" item-not-found"))
    result = VerifyResult::kNotFound;
  return {outbound::Verified{std::move(request), result}};
}

OutboundActions OutboundMachine::OnFooter() {
  if (state_ != OutboundState::kOpen) return OnClosed("peer closed the stream");
  return Refuse({OutboundFailure::kClosed, RetryClass::kAtOnce, "peer closed the stream"});
}

OutboundActions OutboundMachine::OnClosed(std::string why, std::optional<StreamCondition> say) {
  if (state_ == OutboundState::kClosed) return {};
  if (state_ == OutboundState::kAwaitProceed) return TlsRefused();
  if (state_ == OutboundState::kAwaitSasl)
    return Refuse(Negotiation("peer closed the stream during SASL"));
  return Refuse({OutboundFailure::kClosed, RetryClass::kOrdinary, std::move(why)}, say);
}

OutboundActions OutboundMachine::OnTimeout() {
  if (state_ == OutboundState::kClosed) return {};
  return Refuse({OutboundFailure::kTimedOut, RetryClass::kOrdinary,
                 "no answer in state " + std::string(OutboundStateName(state_))},
                StreamCondition::kConnectionTimeout);
}

OutboundActions OutboundMachine::OnPairTimeout(std::string_view local) {
  if (state_ == OutboundState::kClosed) return {};
  const auto pair = pairs_.find(local);
  if (pair == pairs_.end() || pair->second == PairState::kOpen) return {};
  return PairRefused(pair->first, {OutboundFailure::kTimedOut, {}, "no dialback result"});
}

bool OutboundMachine::MayAddPair() const {
  return state_ == OutboundState::kOpen && method_ != proto::SASL_TLS && !key_refused_ &&
         terms_.purpose == OutboundPurpose::kSendStanzas;
}

OutboundActions OutboundMachine::AddPair(std::string local) {
  GATEHOUSE_CHECK(MayAddPair() && !pairs_.contains(local));
  pairs_[local] = PairState::kAwaitKey;
  return {outbound::MakeKey{std::move(local), stream_id_}};
}

OutboundActions OutboundMachine::Verify(VerifyRequest request) {
  GATEHOUSE_CHECK(state_ == OutboundState::kOpen && terms_.purpose == OutboundPurpose::kVerifyKeys);
  std::string xml = DialbackXml("verify", request.from, request.to, request.id, request.key);
  verifying_.push_back(std::move(request));
  return {outbound::SendXml{std::move(xml)}};
}

}  // namespace gatehouse
