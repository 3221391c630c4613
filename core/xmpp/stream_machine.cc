#include "core/xmpp/stream_machine.h"

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/xmpp/element.h"
#include "core/xmpp/sasl_external.h"
#include "core/xmpp/stanza_check.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

// RFC 6120 §6.4.5 allows 2 to 5 (2.6).
constexpr int kMaxSaslFailures = 3;

bool IsStartOfTls(const proto::Element& element) {
  return Is(element, "starttls", ns::kTls);
}

bool IsSasl(const proto::Element& element) {
  return Is(element, "auth", ns::kSasl) || Is(element, "response", ns::kSasl) ||
         Is(element, "abort", ns::kSasl);
}

}  // namespace

std::string_view StreamStateName(StreamState state) {
  constexpr std::array<std::string_view, 8> kNames = {
      "AwaitHeader", "FeaturesClear",   "Handshake", "AwaitTlsHeader",
      "FeaturesTls", "AwaitAuthHeader", "Open",      "Closed"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string_view StreamEventName(StreamEvent event) {
  constexpr std::array<std::string_view, 8> kNames = {"DirectTls", "Header",      "StartTls",
                                                      "TlsDone",   "SaslSuccess", "DomainProven",
                                                      "Stanza",    "Footer"};
  return kNames.at(static_cast<std::size_t>(event));
}

StreamMachine::Actions StreamMachine::Begin() {
  actions_.clear();
  return actions_;
}

bool StreamMachine::Step(StreamEvent event) {
  const auto next = Next(state_, event);
  if (!next) {
    End(StreamCondition::kNotAuthorized);
    return false;
  }
  state_ = *next;
  return true;
}

// --- ends that come from outside

StreamMachine::Actions StreamMachine::OnFooter() {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  if (leaving_) {
    EndOrderly(leaving_why_);
    return actions_;
  }
  if (!Step(StreamEvent::kFooter)) return actions_;
  footer_waits_ = has_unhandled();
  if (!footer_waits_) EndOrderly("peer-closed");
  return actions_;
}

StreamMachine::Actions StreamMachine::OnBadXml(StreamCondition condition) {
  return CloseWith(condition);
}

StreamMachine::Actions StreamMachine::OnTlsFailed(std::string detail) {
  Begin();
  if (state_ != StreamState::kClosed) Abort("tls-failed", Reason::kTlsFailed, std::move(detail));
  return actions_;
}

// A stream that only ever served verify requests has done its duty (2.1).
StreamMachine::Actions StreamMachine::OnEstablishmentTimeout() {
  if (has_verified_pair()) return Begin();
  if (!header_sent_ || verify_requests_ > 0) return CloseOrderly("establishment-timeout");
  return CloseWith(StreamCondition::kConnectionTimeout, Reason::kEstablishmentTimeout);
}

StreamMachine::Actions StreamMachine::OnRulesChanged() {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  for (const Pair& pair : pairs_) {
    if (pair.verified() && !KeepsTo(pair, pair.method)) return actions_;
    if (TakesOurs(pair) && !RowOf(*rules_.FindPartner(pair.from)).bidi) {
      End(StreamCondition::kReset);
      return actions_;
    }
  }
  if (!has_verified_pair() && IsMisled()) End(StreamCondition::kReset);
  return actions_;
}

bool StreamMachine::IsMisled() {
  const bool authenticated = !authenticated_.empty();
  const bool in_features =
      state_ == StreamState::kFeaturesClear || state_ == StreamState::kFeaturesTls;
  if (header_.from.empty() || !(authenticated || in_features)) return false;
  if (stranger_) return rules_.FindPartner(header_.from) != nullptr;
  const auto row = HeaderRow();
  if (!row) return true;
  const bool proves = CertificateProves(header_.from);
  if (authenticated) return !proves || !PermittedMethods(*row).sasl_tls;
  return FeaturesFor(phase(), row, proves) != features_;
}

bool StreamMachine::KeepsTo(const Pair& pair, proto::AuthMethod method) {
  const proto::Partner* partner = rules_.FindPartner(pair.from);
  if (partner == nullptr) {
    End(StreamCondition::kReset, rules_.policy->WhyNoPartner(pair.from));
  } else if (!PermittedMethods(RowOf(*partner)).Has(method)) {
    End(StreamCondition::kReset, Reason::kMethodNotPermitted, std::string(MethodName(method)));
  } else if (method == proto::SASL_TLS && !CertificateProves(pair.from)) {  // by its anchors now
    End(StreamCondition::kReset, ReasonNotProven(pair.from), WhyNotProven(pair.from));
  } else if (!rules_.Serves(pair.to)) {
    End(StreamCondition::kHostGone);
  } else {
    return true;
  }
  return false;
}

// --- header and features

StreamPhase StreamMachine::phase() const {
  if (!authenticated_.empty()) return StreamPhase::kAuthenticated;
  return certificate_ != nullptr ? StreamPhase::kTls : StreamPhase::kClear;
}

bool StreamMachine::CertificateProves(std::string_view domain) {
  if (domain.empty()) return false;
  const PeerCertificate* const judged = CertificateFor(domain);
  if (judged == nullptr || !judged->chain_valid || !MatchesXmppDomain(*judged, domain))
    return false;
  proven_until_unix_ = judged->not_after_unix;
  return true;
}

std::optional<NegotiationRow> StreamMachine::HeaderRow() const {
  if (header_.from.empty()) return std::nullopt;
  const proto::Partner* partner = rules_.FindPartner(header_.from);
  if (partner == nullptr) return std::nullopt;
  return RowOf(*partner);
}

void StreamMachine::SendHeader(const HeaderFacts& facts) {
  const std::string& from = facts.to.empty() ? rules_.domains.front() : facts.to;
  stream_id_ = new_id_();
  Send(StreamHeaderXml({.from = from,
                        .to = facts.from,
                        .id = stream_id_,
                        .dialback = true,
                        .version = facts.has_version,
                        .lang = true}));
  header_sent_ = true;
}

StreamMachine::Actions StreamMachine::OnHeader(const StreamHeader& header) {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  header_sent_ = false;
  AcceptHeader(header);
  return actions_;
}

void StreamMachine::AcceptHeader(const StreamHeader& header) {
  HeaderFacts facts;
  const auto checked = CheckHeader(header, phase(), rules_, facts);
  header_ = facts;
  if (!checked && IsToShowItself(facts, checked.error())) return LetStrangerGoOn(facts);
  if (!checked) return End(checked.error().condition, checked.error().reason);
  // Who was let go on for his certificate does not go on without a name.
  if (stranger_ && facts.from.empty()) return EndStranger();
  stranger_.reset();
  if (!authenticated_.empty() && facts.from != authenticated_)
    return End(StreamCondition::kInvalidFrom);
  if (!authenticated_.empty() && facts.to != authenticated_to_)
    return End(StreamCondition::kHostUnknown);
  if (const proto::Partner* partner = rules_.FindPartner(facts.from)) partner_id_ = partner->id();
  if (!Step(StreamEvent::kHeader)) return;
  SendHeader(facts);
  OfferFeatures();
}

// No certificate can be seen before TLS: while the gateway discovers, who would be refused for
// being no partner gets as far as one without a name, and is refused behind it.
bool StreamMachine::IsToShowItself(const HeaderFacts& facts, const HeaderRefusal& refusal) const {
  return refusal.reason == Reason::kUnknownPartner && phase() == StreamPhase::kClear &&
         rules_.policy->gateway().discover() && facts.has_version && !rules_.Serves(facts.from);
}

void StreamMachine::LetStrangerGoOn(const HeaderFacts& facts) {
  if (!Step(StreamEvent::kHeader)) return;
  stranger_ = facts;
  SendHeader(facts);
  features_ = {.starttls = true, .starttls_required = true};
  Send(FeaturesXml(features_));
}

void StreamMachine::EndStranger() {
  End(StreamCondition::kPolicyViolation, Reason::kUnknownPartner);
}

void StreamMachine::OfferFeatures() {
  const auto row = HeaderRow();
  if (phase() != StreamPhase::kClear && row && row->tls == NegotiationLevel::kNotSupported)
    return End(StreamCondition::kPolicyViolation, Reason::kMethodNotPermitted,
               "TLS");  // direct TLS in a row without TLS (2.15)
  features_ = FeaturesFor(phase(), row, CertificateProves(header_.from));
  if (features_.hopeless)
    return End(StreamCondition::kNotAuthorized, ReasonNotProven(header_.from),
               WhyNotProven(header_.from));
  if (header_.has_version) Send(FeaturesXml(features_));
  if (!authenticated_.empty()) {
    AddPair(header_.from, header_.to, proto::AUTH_METHOD_NONE);
    if (KeepsTo(pairs_.back(), proto::SASL_TLS)) Verified(pairs_.back(), proto::SASL_TLS);
  }
}

// --- TLS

StreamMachine::Actions StreamMachine::OnDirectTls() {
  Begin();
  if (Step(StreamEvent::kDirectTls)) Do(BeginTls{});
  return actions_;
}

void StreamMachine::TakeStartTls() {
  const bool possible = state_ == StreamState::kFeaturesClear && features_.starttls;
  if (!possible || !Step(StreamEvent::kStartTls)) return EndBareTls();
  Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  Do(BeginTls{header_.to});
}

// Everything learned in clear is forgotten (2.2), but for who a stranger said he was.
StreamMachine::Actions StreamMachine::OnTlsDone(const PeerCertificate& certificate,
                                                JudgeAgainst judge) {
  Begin();
  if (state_ == StreamState::kClosed || !Step(StreamEvent::kTlsDone)) return actions_;
  certificate_ = &certificate;
  judge_ = std::move(judge);
  header_ = {};
  partner_id_.clear();
  features_ = {};
  pairs_.clear();
  judgements_.clear();
  header_sent_ = false;
  return actions_;
}

// --- stanzas of ours (2.14)

// Only where it was offered: inside TLS, and before the peer began to prove itself.
void StreamMachine::TakeBidi() {
  const bool in_time = state_ == StreamState::kFeaturesTls && pairs_.empty() && !bidi_;
  if (!in_time || !features_.bidi) return End(StreamCondition::kUnsupportedStanzaType);
  bidi_ = true;
}

// EXTERNAL proves the header's pair for both directions; a pair it added by a key it alone may use.
bool StreamMachine::TakesOurs(const Pair& pair) const {
  if (!bidi_ || !pair.verified()) return false;
  return authenticated_.empty() || (pair.from == authenticated_ && pair.to == authenticated_to_);
}

// --- SASL

void StreamMachine::TakeSasl(const proto::Element& element) {
  const SaslAnswer answer = JudgeSasl(element, {.tls = certificate_ != nullptr,
                                                .offered = features_.external,
                                                .awaits_response = sasl_awaits_response_,
                                                .header_from = header_.from});
  sasl_awaits_response_ = answer == SaslAnswer::kChallenge;
  if (answer == SaslAnswer::kChallenge) return Send(SaslXml(answer));
  if (answer == SaslAnswer::kSuccess) {
    if (!Step(StreamEvent::kSaslSuccess)) return;
    authenticated_ = header_.from;
    authenticated_to_ = header_.to;
    pairs_.clear();
    Send(SaslXml(answer));
    header_sent_ = false;
    return Do(RestartXml{});
  }
  if (++sasl_failures_ > kMaxSaslFailures)
    return End(StreamCondition::kPolicyViolation, Reason::kNotProven, "SASL failed too often");
  Send(SaslXml(answer));
  const auto row = HeaderRow();
  const bool another_way = certificate_ == nullptr || !row || PermittedMethods(*row).tls_dialback;
  if (another_way) return;
  NotedRefusal noted = Note(Reason::kNotProven, "failure", "SASL failed");
  EndOrderly("sasl-failed", Reason::kNotProven, std::move(noted.id));
}

// --- elements

StreamMachine::Actions StreamMachine::OnElement(const proto::Element& element) {
  Begin();
  if (state_ != StreamState::kClosed) TakeElement(element);
  return actions_;
}

void StreamMachine::TakeElement(const proto::Element& element) {
  if (state_ == StreamState::kOpen && HasStanzaName(element)) return TakeStanza(element);
  if (leaving_) return;  // the peer's </stream:stream> follows
  const bool is_stranger = stranger_ && phase() == StreamPhase::kClear;
  if (is_stranger && !IsStartOfTls(element)) return EndStranger();
  if (Is(element, "result", ns::kDialback)) return TakeDialbackResult(element);
  if (Is(element, "verify", ns::kDialback)) return TakeDialbackVerify(element);
  if (element.ns() == ns::kStreamManagement) return TakeAckElement(element);
  if (IsStartOfTls(element)) return TakeStartTls();
  if (Is(element, "bidi", ns::kBidi)) return TakeBidi();
  if (IsSasl(element) && state_ != StreamState::kOpen) return TakeSasl(element);
  if (Is(element, "error", ns::kStream)) return EndOrderly("peer-error");
  if (!HasStanzaName(element)) return End(StreamCondition::kUnsupportedStanzaType);
  End(element.ns() == ns::kServer ? StreamCondition::kNotAuthorized
                                  : StreamCondition::kInvalidNamespace);
}

StreamMachine::Actions StreamMachine::OnOversized(const proto::Element& head) {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  if (state_ != StreamState::kOpen) {
    End(StreamCondition::kPolicyViolation);
  } else if (PairOfStanza(head) != nullptr) {
    CountTakenOff();
    RefuseStanza(head, proto::POLICY_VIOLATION);
  }
  return actions_;
}

const StreamMachine::Pair* StreamMachine::PairOfStanza(const proto::Element& element) {
  StanzaDomains domains;
  if (const auto read = ReadDomains(element, domains); !read) {
    End(read.error());
    return nullptr;
  }
  const auto is_it = [&](const Pair& pair) {
    return pair.verified() && pair.from == domains.from && pair.to == domains.to;
  };
  if (last_pair_ < pairs_.size() && is_it(pairs_[last_pair_])) return &pairs_[last_pair_];
  const auto found = std::ranges::find_if(pairs_, is_it);
  if (found != pairs_.end()) {
    last_pair_ = static_cast<std::size_t>(found - pairs_.begin());
    return &*found;
  }
  const bool from_known = std::ranges::any_of(
      pairs_, [&](const Pair& pair) { return pair.verified() && pair.from == domains.from; });
  End(from_known ? StreamCondition::kHostUnknown : StreamCondition::kInvalidFrom);
  return nullptr;
}

void StreamMachine::TakeStanza(const proto::Element& element) {
  const Pair* pair = PairOfStanza(element);
  if (pair == nullptr) return;
  switch (ShapeOf(element)) {
    case IqShape::kInvalidXml:
      return End(StreamCondition::kInvalidXml);
    case IqShape::kBadRequest:
      CountTakenOff();
      return RefuseStanza(element, proto::BAD_REQUEST);
    case IqShape::kSound:
      break;
  }
  if (!Step(StreamEvent::kStanza)) return;
  Do(DeliverStanza{pair->from, pair->to, pair->method, handled_ ? handled_->Take() : 0});
}

// An error is never answered with an error. RFC 6120 §8.3.1
void StreamMachine::RefuseStanza(const proto::Element& element, proto::StanzaCondition condition) {
  if (Attribute(element, "type") == "error") return;
  const Pair& pair = pairs_[last_pair_];
  Do(AnswerStanza{pair.to, pair.from, MakeErrorReply(element, condition)});
}

bool StreamMachine::HasVerified(std::string_view from, std::string_view to) const {
  return std::ranges::any_of(pairs_, [&](const Pair& pair) {
    return pair.verified() && pair.from == from && pair.to == to;
  });
}

bool StreamMachine::has_verified_pair() const {
  return std::ranges::any_of(pairs_, [](const Pair& pair) { return pair.verified(); });
}

}  // namespace gatehouse
