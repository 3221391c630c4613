// The initiating side of one server-to-server stream as a value: events in, actions out
// (3.4, 3.6, 4.6). Owns no socket and no timer; core/xmpp/outbound_connection.cc does what it says.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/policy/negotiation.h"
#include "core/xmpp/ack_count.h"
#include "core/xmpp/outbound_fault.h"
#include "core/xmpp/stream_errors.h"
#include "core/xmpp/xml_reader.h"

namespace gatehouse {

enum class OutboundPurpose : std::uint8_t {
  kSendStanzas,  // tls_listener
  kVerifyKeys,   // dialback_verifier: asks the authoritative server, needs no authentication
};

enum class TlsDemand : std::uint8_t {
  kByRow,
  kAlways,  // whatever row and features say: the target has TLSA records (RFC 7673 §4)
};

// What this stream may do; fixed at birth.
struct OutboundTerms {
  std::string local;   // our domain, prepared
  std::string remote;  // the peer's, prepared
  NegotiationRow row;
  OutboundPurpose purpose = OutboundPurpose::kSendStanzas;
  bool shows_certificate = false;                 // we have one: SASL EXTERNAL is possible
  OutboundDemand demand = OutboundDemand::kNone;  // narrows the methods of the row (3.6)
  bool takes_theirs = false;  // where the peer offers it: its own stanzas on this stream (2.14)
  bool may_go_clear = true;   // the downgrade guard of 3.4.1 allows a stream without TLS
};

enum class OutboundState : std::uint8_t {
  kIdle,
  kAwaitHeader,
  kAwaitFeatures,
  kAwaitProceed,
  kHandshake,
  kAwaitTlsHeader,
  kAwaitTlsFeatures,
  kAwaitSasl,
  kAwaitAuthHeader,
  kAwaitAuthFeatures,
  kProving,
  kOpen,
  kClosed,
};
// What happened, or what the machine chose to do after features (kChose…, kRefused).
enum class OutboundEvent : std::uint8_t {
  kConnected,
  kConnectedForTls,
  kHeader,
  kChoseTls,
  kChoseSasl,
  kChoseDialback,
  kChoseOpen,
  kProceed,
  kTlsDone,
  kSaslSuccess,
  kPairProven,
  kRefused,
};
struct OutboundStep {
  OutboundState from;
  OutboundEvent on;
  OutboundState to;
};
// clang-format off
inline constexpr std::array kOutboundSteps = {
    OutboundStep{OutboundState::kIdle,              OutboundEvent::kConnected,       OutboundState::kAwaitHeader},
    OutboundStep{OutboundState::kIdle,              OutboundEvent::kConnectedForTls, OutboundState::kHandshake},     // direct TLS
    OutboundStep{OutboundState::kAwaitHeader,       OutboundEvent::kHeader,          OutboundState::kAwaitFeatures},
    OutboundStep{OutboundState::kAwaitFeatures,     OutboundEvent::kChoseTls,        OutboundState::kAwaitProceed},
    OutboundStep{OutboundState::kAwaitFeatures,     OutboundEvent::kChoseDialback,   OutboundState::kProving},       // TCP dialback
    OutboundStep{OutboundState::kAwaitFeatures,     OutboundEvent::kChoseOpen,       OutboundState::kOpen},          // verify in clear
    OutboundStep{OutboundState::kAwaitProceed,      OutboundEvent::kProceed,         OutboundState::kHandshake},
    OutboundStep{OutboundState::kHandshake,         OutboundEvent::kTlsDone,         OutboundState::kAwaitTlsHeader},
    OutboundStep{OutboundState::kAwaitTlsHeader,    OutboundEvent::kHeader,          OutboundState::kAwaitTlsFeatures},
    OutboundStep{OutboundState::kAwaitTlsFeatures,  OutboundEvent::kChoseSasl,       OutboundState::kAwaitSasl},
    OutboundStep{OutboundState::kAwaitTlsFeatures,  OutboundEvent::kChoseDialback,   OutboundState::kProving},       // TLS dialback
    OutboundStep{OutboundState::kAwaitTlsFeatures,  OutboundEvent::kChoseOpen,       OutboundState::kOpen},          // verify
    OutboundStep{OutboundState::kAwaitSasl,         OutboundEvent::kSaslSuccess,     OutboundState::kAwaitAuthHeader},
    OutboundStep{OutboundState::kAwaitSasl,         OutboundEvent::kChoseDialback,   OutboundState::kProving},       // SASL failed
    OutboundStep{OutboundState::kAwaitAuthHeader,   OutboundEvent::kHeader,          OutboundState::kAwaitAuthFeatures},
    OutboundStep{OutboundState::kAwaitAuthFeatures, OutboundEvent::kChoseOpen,       OutboundState::kOpen},
    OutboundStep{OutboundState::kProving,           OutboundEvent::kPairProven,      OutboundState::kOpen},
    OutboundStep{OutboundState::kOpen,              OutboundEvent::kPairProven,      OutboundState::kOpen},          // XEP-0220 §2.6
};
// clang-format on
template <std::size_t N>
constexpr bool HasNoRepeatedRow(const std::array<OutboundStep, N>& steps) {
  for (std::size_t i = 0; i < N; ++i)
    for (std::size_t j = i + 1; j < N; ++j)
      if (steps[i].from == steps[j].from && steps[i].on == steps[j].on) return false;
  return true;
}
static_assert(HasNoRepeatedRow(kOutboundSteps));

// Any state goes to kClosed by kRefused; any other step outside the table has no answer.
constexpr std::optional<OutboundState> Next(OutboundState from, OutboundEvent on) {
  if (on == OutboundEvent::kRefused) return OutboundState::kClosed;
  for (const OutboundStep& step : kOutboundSteps)
    if (step.from == from && step.on == on) return step.to;
  return std::nullopt;
}
[[nodiscard]] std::string_view OutboundStateName(OutboundState state);  // "await-header"
// How long the stream may stay in `state`, counted from entering it (3.3); nullopt: as long as it
// likes.
[[nodiscard]] std::optional<seconds> TimeLimitOf(OutboundState state);

// One <db:verify/> we sent and its answer (2.8.3).
struct VerifyRequest {
  std::string from;  // our domain, the target of the key
  std::string to;    // the sender domain, asked
  std::string id;    // of the inbound stream that carried the key
  std::string key;
};
enum class VerifyResult : std::uint8_t { kValid, kInvalid, kNotFound, kError };

namespace outbound {
struct SendXml {
  std::string xml;
};
struct OpenXml {
  std::string header;
};  // a fresh parser, then this header
struct BeginTls {};
struct ReconnectInClear {};  // same target, StartInClear next (3.4.1)
struct MakeKey {
  std::string local, stream_id;
};
struct PairOpen {
  std::string local;
  proto::AuthMethod method;
};
struct PairFailed {
  std::string local;
  OutboundFault fault;
};
struct ReadyToVerify {};
struct Verified {
  VerifyRequest request;
  VerifyResult result;
};
struct Acknowledged {
  std::uint32_t h;
};                      // <a/> of XEP-0198, not judged
struct AcksRefused {};  // no stanza of this stream will be acknowledged
// The element of this event is a stanza of the peer's for an open pair (2.14).
struct Deliver {
  std::string_view local;  // until the next event
  proto::AuthMethod method;
  std::uint64_t number = 0;  // for CountHandled once it is settled; 0: nobody counts
};
struct AnswerStanza {
  std::string local;
  proto::Element reply;
};  // an error for its sender
struct Dropped {
  std::string what;
};  // an answer nobody asked for: logged, counted, without effect
// The stream is over. `say` goes out as a stream error first.
struct Fail {
  OutboundFault fault;
  std::optional<StreamCondition> say;
};
}  // namespace outbound
using OutboundAction =
    std::variant<outbound::SendXml, outbound::OpenXml, outbound::BeginTls,
                 outbound::ReconnectInClear, outbound::MakeKey, outbound::PairOpen,
                 outbound::PairFailed, outbound::ReadyToVerify, outbound::Verified,
                 outbound::Acknowledged, outbound::AcksRefused, outbound::Deliver,
                 outbound::AnswerStanza, outbound::Dropped, outbound::Fail>;
using OutboundActions = std::vector<OutboundAction>;

class OutboundMachine {
 public:
  explicit OutboundMachine(OutboundTerms terms);

  // The TCP connection stands. A machine starts once, or again after ReconnectInClear or for the
  // next target.
  [[nodiscard]] OutboundActions Start(bool direct_tls, TlsDemand demand = TlsDemand::kByRow);
  [[nodiscard]] OutboundActions StartInClear();  // after ReconnectInClear: TLS is not tried again
  [[nodiscard]] OutboundActions OnHeader(const StreamHeader& header);
  [[nodiscard]] OutboundActions OnElement(const proto::Element& element);
  // An element too large to be read further.
  [[nodiscard]] OutboundActions OnOversized(const proto::Element& head);
  // `certificate_ok`: the chain is valid and proves the peer's domain, or TLSA records do.
  // `why_not`: for a stream that needs the certificate, where it is not.
  [[nodiscard]] OutboundActions OnTls(bool certificate_ok,
                                      Reason why_not = Reason::kCertificateRefused);
  // kTlsFailed or kDaneMismatch.
  [[nodiscard]] OutboundActions OnTlsFailed(std::string why,
                                            OutboundFailure failure = OutboundFailure::kTlsFailed);
  // The answer to MakeKey; empty: none could be made.
  [[nodiscard]] OutboundActions OnKey(std::string_view local, std::string_view key);
  [[nodiscard]] OutboundActions OnFooter();  // </stream:stream>
  // TCP ended, or XML was bad: `why` for the log, `say` what the peer is told.
  [[nodiscard]] OutboundActions OnClosed(std::string why, std::optional<StreamCondition> say = {});
  [[nodiscard]] OutboundActions OnTimeout();
  // A further sender domain on an open stream (2.8.7). Only where MayAddPair().
  [[nodiscard]] OutboundActions AddPair(std::string local);
  // No result for a pair of AddPair within 45 s (3.3).
  [[nodiscard]] OutboundActions OnPairTimeout(std::string_view local);
  // A key to check; only after ReadyToVerify.
  [[nodiscard]] OutboundActions Verify(VerifyRequest request);

  // --- stanzas of the peer's (2.14)
  // The stanza of that number is settled: the peer need not keep it. True: OnAcksDue has to say so.
  bool CountHandled(std::uint64_t number);
  [[nodiscard]] OutboundActions OnAcksDue();
  // What to say before the stream's end: the peer would send again what it believes unhandled.
  [[nodiscard]] std::string LastWord() const;
  // How the peer's own stanzas here are proven; AUTH_METHOD_NONE: it may send none.
  [[nodiscard]] proto::AuthMethod their_method() const { return their_method_; }
  // Stanzas of the peer that it is to keep until we have settled them.
  [[nodiscard]] bool has_unhandled() const { return handled_.handled() < handled_.taken(); }

  [[nodiscard]] OutboundState state() const { return state_; }
  [[nodiscard]] const OutboundTerms& terms() const { return terms_; }
  [[nodiscard]] bool in_tls() const { return in_tls_; }
  // Of the peer's header in force; empty: it gave none.
  [[nodiscard]] const std::string& stream_id() const { return stream_id_; }
  // How this stream's pairs are proven; AUTH_METHOD_NONE while that is open.
  [[nodiscard]] proto::AuthMethod method() const { return method_; }
  // Open by dialback, and no key of ours was refused here. A stream of EXTERNAL takes no second
  // pair: that pair would be proven by a weaker method than a stream of its own (2.7).
  [[nodiscard]] bool MayAddPair() const;
  // We have sent <enable/>: the peer acknowledges each stanza sent from then on (2.13). False again
  // once it refused.
  [[nodiscard]] bool has_acks() const { return has_acks_; }
  // It failed before the peer had said what it permits: another target may do better.
  [[nodiscard]] bool MayTryNextTarget() const { return may_try_next_target_; }

 private:
  enum class PairState : std::uint8_t { kAwaitKey, kAwaitResult, kOpen };

  void Step(OutboundEvent event);
  OutboundActions OpenXml(OutboundEvent event);
  OutboundActions Refuse(OutboundFault fault, std::optional<StreamCondition> say = {});
  OutboundActions OnStreamError(const proto::Element& error);
  OutboundActions Unexpected(const proto::Element& element);
  OutboundActions OnFeatures(const proto::Element& features);
  OutboundActions ChooseInClear(bool tls_offered);
  OutboundActions ChooseInTls(bool external_offered);
  OutboundActions ChooseDialback();
  OutboundActions OnTlsElement(const proto::Element& element);
  OutboundActions TlsRefused();
  OutboundActions OnSaslElement(const proto::Element& element);
  OutboundActions OnDialbackElement(const proto::Element& element);
  OutboundActions OnAckElement(const proto::Element& element);
  OutboundActions Opened(std::string local);
  OutboundActions OnResult(const proto::Element& element, std::string_view type);
  void AskForTheirs(const proto::Element& features, OutboundActions& actions);
  OutboundActions OnStanza(const proto::Element& element);
  OutboundActions RefuseStanza(const proto::Element& element, const std::string& local,
                               proto::StanzaCondition condition);
  // The open pair the stanza is for; null after `refused` was filled.
  const std::string* PairOfStanza(const proto::Element& element, OutboundActions& refused);
  OutboundActions RefuseRequest(const proto::Element& element);
  std::uint64_t Take() { return has_acks_ ? handled_.Take() : 0; }
  OutboundActions PairRefused(std::string local, OutboundFault fault);
  OutboundActions OnVerifyAnswer(const proto::Element& element, std::string_view type);

  OutboundTerms terms_;
  MethodSet methods_;
  OutboundState state_ = OutboundState::kIdle;
  bool in_tls_ = false;
  bool without_tls_ = false;
  TlsDemand tls_demand_ = TlsDemand::kByRow;
  bool certificate_ok_ = false;
  Reason why_no_certificate_ = Reason::kCertificateRefused;
  bool peer_does_dialback_ = false;
  bool key_refused_ = false;
  bool may_try_next_target_ = false;
  bool offers_acks_ = false;
  bool has_acks_ = false;
  proto::AuthMethod their_method_ = proto::AUTH_METHOD_NONE;
  HandledCount handled_;          // stanzas of the peer since <enable/>
  std::uint64_t ack_wanted_ = 0;  // stanzas taken when the peer asked last
  std::uint64_t ack_given_ = 0;   // of the last <a/>
  std::string stream_id_;
  proto::AuthMethod method_ = proto::AUTH_METHOD_NONE;
  std::map<std::string, PairState, std::less<>> pairs_;  // by local domain
  std::vector<VerifyRequest> verifying_;
};

}  // namespace gatehouse
