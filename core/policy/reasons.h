// Why something is refused or fails: one catalogue for logs, metrics, answers and gatehousectl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gatehouse {

enum class Reason : std::uint8_t {
  kNone,
  kUnknownPartner,
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
  kExpired,
  kNextHopRefused,
  kNextHopSilent,
  kNextHopUnreachable,
  kNextHopUntrusted,
  kNoSipRoute,
  kNotHandedOver,
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
// kNone included: the number of counters to keep.
[[nodiscard]] std::size_t ReasonCount();

}  // namespace gatehouse
