#include "core/policy/traffic_kind.h"

#include <array>

namespace gatehouse {
namespace {

constexpr std::array kKindWords = {
    TrafficKindWord{TrafficKind::kSubscribe, "subscribe"},
    TrafficKindWord{TrafficKind::kUnsubscribe, "unsubscribe"},
    TrafficKindWord{TrafficKind::kSubscribed, "subscribed"},
    TrafficKindWord{TrafficKind::kUnsubscribed, "unsubscribed"},
    TrafficKindWord{TrafficKind::kPresence, "presence"},
    TrafficKindWord{TrafficKind::kProbe, "probe"},
    TrafficKindWord{TrafficKind::kPresenceToDomain, "domain-presence"},
    TrafficKindWord{TrafficKind::kMessage, "message"},
    TrafficKindWord{TrafficKind::kChatState, "typing"},
    TrafficKindWord{TrafficKind::kGroupchat, "groupchat"},
    TrafficKindWord{TrafficKind::kMessageToDomain, "domain-message"},
    TrafficKindWord{TrafficKind::kError, "error"},
    TrafficKindWord{TrafficKind::kIqToUser, "iq"},
    TrafficKindWord{TrafficKind::kIqToDomain, "domain-iq"},
    TrafficKindWord{TrafficKind::kIqAnswer, "iq-answer"},
    TrafficKindWord{TrafficKind::kSipSubscribe, "subscribe"},
    TrafficKindWord{TrafficKind::kSipPresence, "presence"},
    TrafficKindWord{TrafficKind::kSipMessage, "message"},
    TrafficKindWord{TrafficKind::kSipSignal, "typing"},
    TrafficKindWord{TrafficKind::kSipOptions, "options"},
};

}  // namespace

std::span<const TrafficKindWord> KindWords() {
  return kKindWords;
}

std::string_view KindName(TrafficKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kKindWords.size() ? kKindWords.at(index).word : std::string_view();
}

}  // namespace gatehouse
