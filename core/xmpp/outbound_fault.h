// Why an outbound stream, or one pair of it, could not be used; what its sender is told (3.9) and
// when a new attempt may start (3.7, 3.8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/policy/reasons.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

enum class OutboundFailure : std::uint8_t {
  kNotFound,       // NXDOMAIN, target ".", no usable address, host-unknown
  kDnsTrouble,     // SERVFAIL, time-out: not a fact
  kConnectFailed,  // no target took the TCP connection
  kTlsFailed,      // refused, or the handshake failed
  kDaneMismatch,   // the certificate is none that the TLSA records allow
  kTimedOut,       // a timer of 3.3
  kClosed,         // the peer closed, or sent a stream error
  kNegotiation,    // the row and the peer have no method in common
  kKeyRefused,     // dialback answered "invalid"
  kDialbackError,  // dialback answered "error"
  kNotPermitted,   // no enabled partner, no permitted method
  kOverload,       // a limit of ours
};

// When the next attempt may start.
enum class RetryClass : std::uint8_t {
  kOrdinary,    // 3.8
  kAtOnce,      // nothing failed: the peer closed an open stream in order
  kConfigured,  // somebody must change a setting: back-off starts at 60 s
  kSoon,        // the peer restarts: within 10 s, without growing
  kDomainGone,  // nobody there: 5 minutes
};

// What a dialback error says would do better (3.6).
enum class OutboundDemand : std::uint8_t {
  kNone,
  kTls,            // policy-violation
  kCertificate,    // not-authorized
  kNewConnection,  // resource-constraint
};

struct OutboundFault {
  OutboundFailure failure = OutboundFailure::kClosed;
  RetryClass retry = RetryClass::kOrdinary;
  std::string
      text;  // for the log and `test stream`; never peer's own words beyond a condition's name
  // Where the peer, proven by its certificate, wants to be reached instead: "host", "host:port" or
  // "[address]:port", as it wrote it (3.7). Empty: it said nothing of the kind.
  std::string other_host = {};
  OutboundDemand demand = OutboundDemand::kNone;
  Reason reason = Reason::kNone;  // where `failure` does not say it all (stream_refusal.h)
};
// Of the condition of a dialback error.
[[nodiscard]] OutboundDemand DemandOf(std::string_view condition);

// How the text of an outcome of kNegotiation begins; the SIP side tells its peer no more than this.
inline constexpr std::string_view kNegotiationFailed = "negotiation failed";
// The fault of a stream error received (3.7). `condition` is its element name.
[[nodiscard]] OutboundFault StreamErrorFault(std::string_view condition);
// The condition of the outcome (3.9).
[[nodiscard]] proto::StanzaCondition ConditionOf(OutboundFailure failure);
[[nodiscard]] std::string_view FailureName(OutboundFailure failure);  // "tls-failed"

}  // namespace gatehouse
