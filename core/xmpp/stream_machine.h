// When may a stream carry stanzas? The receiving side of one server-to-server stream as a value:
// events in, actions out (chapter 2). Owns no socket and no timer;
// plugins/tls_listener/inbound_streams.cc does what it says.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/tls/tls_session.h"
#include "core/xmpp/ack_count.h"
#include "core/xmpp/header_check.h"
#include "core/xmpp/inbound_features.h"
#include "core/xmpp/stream_errors.h"
#include "core/xmpp/stream_refusal.h"
#include "core/xmpp/xml_reader.h"
#include "proto/link_listener_verifier.pb.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

enum class StreamState : std::uint8_t {
  kAwaitHeader,      // S0
  kFeaturesClear,    // S1
  kHandshake,        // S2, S0d
  kAwaitTlsHeader,   // S3
  kFeaturesTls,      // S4
  kAwaitAuthHeader,  // S5
  kOpen,             // S6: at least one verified pair
  kClosed,           // S7 to S9
};
enum class StreamEvent : std::uint8_t {
  kDirectTls,
  kHeader,
  kStartTls,
  kTlsDone,
  kSaslSuccess,
  kDomainProven,
  kStanza,
  kFooter,
};
struct StreamStep {
  StreamState from;
  StreamEvent on;
  StreamState to;
};
// clang-format off
inline constexpr std::array kStreamSteps = {
    StreamStep{StreamState::kAwaitHeader,     StreamEvent::kDirectTls,    StreamState::kHandshake},       // XEP-0368
    StreamStep{StreamState::kAwaitHeader,     StreamEvent::kHeader,       StreamState::kFeaturesClear},
    StreamStep{StreamState::kFeaturesClear,   StreamEvent::kStartTls,     StreamState::kHandshake},       // RFC 6120 §5.4.2
    StreamStep{StreamState::kFeaturesClear,   StreamEvent::kDomainProven, StreamState::kOpen},            // TCP dialback
    StreamStep{StreamState::kHandshake,       StreamEvent::kTlsDone,      StreamState::kAwaitTlsHeader},  // RFC 6120 §5.4.3
    StreamStep{StreamState::kAwaitTlsHeader,  StreamEvent::kHeader,       StreamState::kFeaturesTls},
    StreamStep{StreamState::kFeaturesTls,     StreamEvent::kSaslSuccess,  StreamState::kAwaitAuthHeader}, // RFC 6120 §6.4.6
    StreamStep{StreamState::kFeaturesTls,     StreamEvent::kDomainProven, StreamState::kOpen},            // TLS dialback
    StreamStep{StreamState::kAwaitAuthHeader, StreamEvent::kHeader,       StreamState::kOpen},
    StreamStep{StreamState::kOpen,            StreamEvent::kDomainProven, StreamState::kOpen},            // XEP-0220 §2.6
    StreamStep{StreamState::kOpen,            StreamEvent::kStanza,       StreamState::kOpen},
    StreamStep{StreamState::kFeaturesClear,   StreamEvent::kFooter,       StreamState::kClosed},
    StreamStep{StreamState::kFeaturesTls,     StreamEvent::kFooter,       StreamState::kClosed},
    StreamStep{StreamState::kOpen,            StreamEvent::kFooter,       StreamState::kClosed},
};
// clang-format on
template <std::size_t N>
constexpr bool HasNoRepeatedRow(const std::array<StreamStep, N>& steps) {
  for (std::size_t i = 0; i < N; ++i)
    for (std::size_t j = i + 1; j < N; ++j)
      if (steps[i].from == steps[j].from && steps[i].on == steps[j].on) return false;
  return true;
}
static_assert(HasNoRepeatedRow(kStreamSteps));

constexpr std::optional<StreamState> Next(StreamState from, StreamEvent on) {
  for (const StreamStep& step : kStreamSteps)
    if (step.from == from && step.on == on) return step.to;
  return std::nullopt;  // the caller closes the stream
}
[[nodiscard]] std::string_view StreamStateName(StreamState state);
[[nodiscard]] std::string_view StreamEventName(StreamEvent event);

// --- Actions, to be done in their order. Views are valid until the next event.
struct SendXml {
  std::string xml;
};
struct BeginTls {
  std::string server_name;  // the served domain; empty: direct TLS, any of ours
};
struct RestartXml {};
// For the counters: a <db:result/> was answered by "valid", "invalid" or the condition of an error.
// With a reason where it was refused.
struct DialbackAnswered {
  std::string_view result;
  Reason reason = Reason::kNone;
  std::string id = {};  // of the refusal; empty: it was told of a moment ago
};
// Ask the verifier whether the peer's key is genuine; answer with OnProof(id).
struct AskProof {
  std::uint64_t id;
  std::string sender, target, stream_id, key;
  // Of the peer's certificate, where the same one at the authoritative server is proof enough
  // (2.8.6); empty: nothing but the key is.
  std::string peer_sha256;
};
// Ask the verifier whether a key is ours; answer with OnJudged(id). `weight`: 2 for a domain that
// is no partner's.
struct AskJudgement {
  std::uint64_t id;
  std::string receiving, originating, stream_id, key;
  int weight;
};
// The first pair is verified: the budget of unverified octets and the establishment clock end.
struct PairVerified {
  std::string_view from, to;
  proto::AuthMethod method;
  bool first;
  bool takes_ours = false;  // stanzas of the inverse pair may go out on this stream (2.14)
};
// The peer has handled so many of the stanzas of ours on this stream. Not judged.
struct PeerAcknowledged {
  std::uint32_t h;
};
// The element of this event goes on.
struct DeliverStanza {
  std::string_view from, to;  // the verified pair
  proto::AuthMethod method;
  // For CountHandled once it is settled; 0: nobody counts.
  std::uint64_t number = 0;
};
// A stanza error for the sender, to be sent on our own stream to its domain.
struct AnswerStanza {
  std::string from_domain, to_domain;  // ours, theirs
  proto::Element reply;
};
// Flush, TLS close_notify, FIN. `why` is for the log: a condition's name or a word of ours.
// With a reason where it is a refusal, and its id.
struct CloseStream {
  std::string_view why;
  Reason reason = Reason::kNone;
  std::string id = {};
};
// Drop the connection without a word.
struct AbortStream {
  std::string_view why;
  Reason reason = Reason::kNone;
  std::string id = {};
};
using StreamAction = std::variant<SendXml, BeginTls, RestartXml, DialbackAnswered, AskProof,
                                  AskJudgement, PairVerified, PeerAcknowledged, DeliverStanza,
                                  AnswerStanza, CloseStream, AbortStream>;

class StreamMachine {
 public:
  using Actions = std::span<const StreamAction>;
  // `rules` outlives the machine. `new_id` gives 128 fresh random bits in lower-case hex: the id of
  // each header we send (2.2). `note` hears of each refusal before the peer does; without it
  // refusals have no ids.
  StreamMachine(const InboundRules& rules, std::function<std::string()> new_id,
                NoteRefusal note = {})
      : rules_(rules), new_id_(std::move(new_id)), note_(std::move(note)) {}

  Actions OnDirectTls();
  Actions OnHeader(const StreamHeader& header);
  Actions OnElement(const proto::Element& element);
  Actions OnOversized(const proto::Element& head);
  Actions OnFooter();
  Actions OnBadXml(StreamCondition condition);
  // The peer's certificate as the anchors of one partner judge it; valid until the next call.
  using JudgeAgainst = std::function<const PeerCertificate&(const std::string& anchors_pem)>;
  // `certificate` is the peer's by our own anchors and outlives the machine. `judge` is asked for
  // partners with anchors of their own; without it they have proven nothing.
  Actions OnTlsDone(const PeerCertificate& certificate, JudgeAgainst judge = {});
  Actions OnTlsFailed(std::string detail = {});
  Actions OnProof(std::uint64_t id, proto::DialbackVerdict verdict);
  // `verdict` DIALBACK_UNKNOWN: the verifier gave no answer.
  Actions OnJudged(std::uint64_t id, proto::DialbackVerdict verdict);
  Actions OnEstablishmentTimeout();
  // --- acknowledgements (2.13)
  // The stanza of that number is settled: the peer need not keep it. True: OnAcksDue has to say so.
  bool CountHandled(std::uint64_t number);
  // A stanza came that was taken off before OnElement.
  void CountTakenOff();
  Actions OnAcksDue();
  // The peer has acknowledged more than the `sent` stanzas of ours that it should count.
  Actions OnFalseAck(std::uint32_t h, std::uint64_t sent);
  // The peer acknowledges the stanzas we send from now on.
  [[nodiscard]] bool counts_ours() const { return bidi_ && handled_.has_value(); }
  // The peer's </stream:stream> has waited long enough for what it sent before, or we have for it.
  Actions OnFooterWaited();
  // A new snapshot or domain list stands in the rules: ends the stream where a pair is permitted no
  // more (2.10).
  Actions OnRulesChanged();
  Actions CloseWith(StreamCondition condition) {  // limits, shutdown
    return CloseWith(condition, ReasonOf(condition));
  }
  Actions CloseWith(StreamCondition condition, Reason reason);
  Actions CloseOrderly(std::string_view why);  // </stream:stream> without error
  // The same two, but what the peer wrote before it heard of it still counts, until its own
  // </stream:stream>: is_leaving(), until OnFooterWaited. At once where the peer has acks and sends
  // it again, where stanzas of ours go out here, and before a pair is verified. RFC 6120 §4.4.
  Actions LeaveForShutdown();
  Actions LeaveOrderly(std::string_view why);

  [[nodiscard]] StreamState state() const { return state_; }
  [[nodiscard]] bool has_verified_pair() const;
  [[nodiscard]] bool HasVerified(std::string_view from, std::string_view to) const;
  // Of the header in force, or of the one that was refused; empty while unknown.
  [[nodiscard]] const std::string& from() const { return header_.from; }
  [[nodiscard]] const std::string& to() const { return header_.to; }
  // The header of an unlisted domain that was let go on to TLS while the gateway discovers, so that
  // its certificate is seen; its next header is refused. Null: there was none.
  [[nodiscard]] const HeaderFacts* stranger() const { return stranger_ ? &*stranger_ : nullptr; }
  [[nodiscard]] const std::string& partner_id() const { return partner_id_; }
  [[nodiscard]] const std::string& stream_id() const { return stream_id_; }
  [[nodiscard]] std::size_t pair_count() const { return pairs_.size(); }
  // When the certificate that proved a domain ends, in Unix time (2.5, "Life-time"); 0: none did.
  [[nodiscard]] std::int64_t proven_until_unix() const { return proven_until_unix_; }
  [[nodiscard]] bool has_pending_pair() const;
  // Stanzas of the peer that it is to keep until we have settled them.
  [[nodiscard]] bool has_unhandled() const {
    return handled_ && handled_->handled() < handled_->taken();
  }
  [[nodiscard]] bool footer_waits() const { return footer_waits_; }
  [[nodiscard]] bool is_leaving() const { return leaving_ && state_ != StreamState::kClosed; }

 private:
  struct Pair {
    std::string from, to;
    proto::AuthMethod method = proto::AUTH_METHOD_NONE;  // NONE: pending
    std::uint64_t proof_id = 0;
    [[nodiscard]] bool verified() const { return method != proto::AUTH_METHOD_NONE; }
  };
  struct Judgement {
    std::uint64_t id;
    std::string from, to, stream_id;  // of the question
  };

  Actions Begin();  // of an event: forgets the last one's actions
  template <class Action>
  void Do(Action action) {
    actions_.emplace_back(std::move(action));
  }
  // Nothing follows our </stream:stream>.
  void Send(std::string xml) {
    if (!leaving_) Do(SendXml{std::move(xml)});
  }
  bool Step(StreamEvent event);  // false: no such row; the stream is closed with not-authorized
  void End(StreamCondition condition) { End(condition, ReasonOf(condition)); }
  void End(StreamCondition condition, Reason reason, std::string detail = {});
  void EndOrderly(std::string_view why, Reason reason = Reason::kNone, std::string id = {});
  void Abort(std::string_view why, Reason reason = Reason::kNone, std::string detail = {});
  // Of the header's domains, or of `remote` and `local`.
  NotedRefusal Note(Reason reason, std::string_view answer, std::string detail = {});
  NotedRefusal Note(Reason reason, std::string_view answer, std::string detail,
                    std::string_view remote, std::string_view local);
  void EndBareTls();
  [[nodiscard]] bool MayLeave() const;
  void Leave(std::string footer, std::string_view why);
  void SendHeader(const HeaderFacts& facts);

  void AcceptHeader(const StreamHeader& header);
  [[nodiscard]] bool IsToShowItself(const HeaderFacts& facts, const HeaderRefusal& refusal) const;
  void LetStrangerGoOn(const HeaderFacts& facts);
  void EndStranger();
  void OfferFeatures();
  void TakeElement(const proto::Element& element);
  void TakeStartTls();
  void TakeSasl(const proto::Element& element);
  void TakeStanza(const proto::Element& element);
  void TakeBidi();
  void TakeAckElement(const proto::Element& element);
  void TakeEnable();
  void RefuseAcks(std::string_view condition);
  void SendAck();
  void EndFalseAck(std::uint32_t h, std::uint64_t sent);
  void RefuseStanza(const proto::Element& element, proto::StanzaCondition condition);
  [[nodiscard]] bool TakesOurs(const Pair& pair) const;
  // The verified pair of the stanza's addresses; null after ending the stream.
  const Pair* PairOfStanza(const proto::Element& element);

  void TakeDialbackResult(const proto::Element& element);
  void TakeDialbackVerify(const proto::Element& element);
  bool PassesDialbackChecks(const std::string& from, const std::string& to);
  void AnswerSwitchedOff(const std::string& from, const std::string& to);
  void SendResult(const Pair& pair, std::string_view type);
  // `name`: of the condition on the wire.
  void SendResultError(const std::string& from, const std::string& to,
                       proto::StanzaCondition condition, std::string_view name, Reason reason,
                       std::string detail = {});
  void SendResultError(const std::string& from, const std::string& to,
                       proto::StanzaCondition condition, Reason reason, std::string detail = {});
  void AddPair(std::string from, std::string to, proto::AuthMethod method);
  void Verified(Pair& pair, proto::AuthMethod method);
  // False, and the stream is ended, when the rules in force do not permit the pair by this method
  // (2.10): they may have changed since the peer was told what they were.
  bool KeepsTo(const Pair& pair, proto::AuthMethod method);
  // Null: there is none, or nobody who judges it by the partner's own anchors.
  [[nodiscard]] const PeerCertificate* CertificateFor(std::string_view domain) const;
  [[nodiscard]] std::string WhyNotProven(std::string_view domain) const;
  [[nodiscard]] Reason ReasonNotProven(std::string_view domain) const;
  // The peer was told of ways to prove itself, or has gone one, that its row in force does not
  // have.
  bool IsMisled();
  void InvalidKey(const std::string& from, const std::string& to, std::string detail = {});
  void ForgetPair(const std::string& from, const std::string& to);
  Pair* FindPair(std::string_view from, std::string_view to);

  [[nodiscard]] StreamPhase phase() const;
  bool CertificateProves(std::string_view domain);
  [[nodiscard]] std::optional<NegotiationRow> HeaderRow() const;
  [[nodiscard]] proto::AuthMethod DialbackMethod() const;
  // XEP-0344: the certificate names the domain, though no authority of ours vouches for it.
  [[nodiscard]] bool MayMeetItsCertificate(const std::string& domain,
                                           const NegotiationRow& row) const;

  const InboundRules& rules_;
  std::function<std::string()> new_id_;
  NoteRefusal note_;
  StreamState state_ = StreamState::kAwaitHeader;
  std::vector<StreamAction> actions_;
  HeaderFacts header_;
  std::optional<HeaderFacts> stranger_;
  std::string partner_id_;
  std::string stream_id_;
  std::string authenticated_;     // by SASL: the domain
  std::string authenticated_to_;  // the second header's `to`
  const PeerCertificate* certificate_ = nullptr;
  JudgeAgainst judge_;
  std::int64_t proven_until_unix_ = 0;
  InboundFeatures features_;
  std::vector<Pair> pairs_;
  std::vector<Judgement> judgements_;
  std::uint64_t next_ask_ = 1;
  std::size_t last_pair_ = 0;            // where the last stanza's pair stood
  std::optional<HandledCount> handled_;  // once <enable/> was taken
  std::uint64_t ack_wanted_ = 0;         // stanzas taken when the peer asked last
  std::uint64_t ack_given_ = 0;          // of the last <a/>
  int sasl_failures_ = 0;
  int verify_requests_ = 0;
  bool header_sent_ = false;
  bool sasl_awaits_response_ = false;
  bool told_switched_off_ = false;
  bool footer_waits_ = false;
  bool leaving_ = false;            // our </stream:stream> is sent, the peer's has not come
  std::string_view leaving_why_{};  // a text that stays
  bool bidi_ = false;               // the peer takes stanzas of ours here
};

}  // namespace gatehouse
