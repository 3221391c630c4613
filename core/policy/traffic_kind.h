// The kinds of traffic that policy tells apart: the rows of 5.2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse {

enum class Direction : std::uint8_t { kXmppToSip, kSipToXmpp };

enum class TrafficKind : std::uint8_t {
  // XMPP -> SIP
  kSubscribe,  // presence of these types
  kUnsubscribe,
  kSubscribed,
  kUnsubscribed,
  kPresence,  // available or unavailable
  kProbe,
  kPresenceToDomain,  // presence of any type without a user in its `to`
  kMessage,           // with a body: normal, chat, headline
  kChatState,         // without one: chat states, receipts
  kGroupchat,
  kMessageToDomain,
  kError,     // message or presence of type error
  kIqToUser,  // get and set
  kIqToDomain,
  kIqAnswer,  // result and error
  // SIP -> XMPP
  kSipSubscribe,  // SUBSCRIBE for presence: he adds the contact
  kSipPresence,   // his presence on its way to a contact
  kSipMessage,    // MESSAGE, INVITE with m=message
  kSipSignal,     // isComposing, KeyboardActivity, IMDN
  kSipOptions,
};

struct TrafficKindWord {
  TrafficKind kind;
  std::string_view word;  // as an operator writes it; unique within a direction
};
// Every kind, in the enum's order.
[[nodiscard]] std::span<const TrafficKindWord> KindWords();

[[nodiscard]] constexpr Direction DirectionOf(TrafficKind kind) {
  return kind < TrafficKind::kSipSubscribe ? Direction::kXmppToSip : Direction::kSipToXmpp;
}
[[nodiscard]] std::string_view KindName(TrafficKind kind);
[[nodiscard]] constexpr std::string_view DirectionName(Direction direction) {
  return direction == Direction::kXmppToSip ? "xmpp-to-sip" : "sip-to-xmpp";
}

}  // namespace gatehouse
