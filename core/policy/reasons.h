// Why something is refused or fails: one catalogue for logs, metrics, answers and gatehousectl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

enum class Reason : std::uint8_t {
  kNone,
  kUnknownPartner,
  kDomainDenied,
  kPartnerDisabled,
  kPartnerExpired,
  kPartnerInvalid,
  kMethodNotPermitted,
  kNotOurDomain,
  kFederationOff,
  kNoXmppAccess,
  kContactNotAuthorised,
  kContactBlocked,
  kNotAwaited,
  kNotSubscribed,
  kGroupChat,
  kNoUserAddressed,
  kPolicyUnavailable,
  // what sip_translator finds beside the policy
  kNotOurUser,
  kNoAddress,
  kUnreadableContent,
  kTooLarge,
  kTooManyIdentical,
  kOverloaded,
  kSubscriptionLimit,
  kContactLimit,
  kNoSuchDialog,
  kExpired,
  kNextHopRefused,
  kNextHopSilent,
  kNextHopUnreachable,
  kNextHopClosed,
  kNextHopUntrusted,
  kOwnCertificateRefused,
  kNoSipRoute,
  kNotifyUndelivered,
  kContactDeclined,
  kNotHandedOver,
  kMalformedRequest,
  kRoutingLoop,
  kIntervalTooBrief,
  kIdentityMismatch,
  kUntrustedPeer,
  // what tls_listener finds of streams that partners open
  kCertificateRefused,
  kCertificateRevoked,
  kNotProven,
  kDialbackFailed,
  kDialbackUnanswered,
  kTlsFailed,
  kEstablishmentTimeout,
  kConnectionLimit,
  kPartnerConnectionLimit,
  kAddressLimit,
  kStreamLimit,
  kSecondStream,
  kPeerSilent,
  kWorkerAway,
  kProtocolError,
  // and of streams of ours
  kNoServerFound,
  kDnsTrouble,
  kPartnerUnreachable,
  kDaneMismatch,
  kDaneLookupFailed,
  kDowngradeRefused,
  kNegotiationFailed,
  kOurKeyRefused,
  kDialbackError,
  kRefusedByPartner,
  kClosedByPartner,
  kInternal,
};

struct ReasonEntry {
  Reason reason;
  std::string_view code;      // stable: scripts and alarms rely on it
  std::string_view sentence;  // what happened
  std::string_view remedy;    // what an operator can do; empty where nothing is wrong
  std::string_view told;      // what the other side may read; says nothing of our users
};

// Every reason but kNone, in the enum's order.
[[nodiscard]] std::span<const ReasonEntry> Reasons();
// Total: kNone is "none" without words.
[[nodiscard]] const ReasonEntry& EntryOf(Reason reason);
[[nodiscard]] inline std::string_view ReasonCode(Reason reason) {
  return EntryOf(reason).code;
}
// kNone included.
[[nodiscard]] std::size_t ReasonCount();
// Those that a verdict of Decide may have, kNone included: they come first.
inline constexpr std::size_t kVerdictReasons =
    static_cast<std::size_t>(Reason::kPolicyUnavailable) + 1;
// What the other side may read of it: words that say nothing of our users or of other partners, and
// the id, if there is one, by which an operator finds the rest. "contact not authorised (7f3kq2mx)"
[[nodiscard]] std::string ToldText(Reason reason, std::string_view id);

}  // namespace gatehouse
