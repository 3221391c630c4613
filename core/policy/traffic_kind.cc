#include "core/policy/traffic_kind.h"

#include <array>

namespace gatehouse {
namespace {

constexpr std::array kWords = {
    KindWord{TrafficKind::kSubscribe, "subscribe"},
    KindWord{TrafficKind::kUnsubscribe, "unsubscribe"},
    KindWord{TrafficKind::kSubscribed, "subscribed"},
    KindWord{TrafficKind::kUnsubscribed, "unsubscribed"},
    KindWord{TrafficKind::kPresence, "presence"},
    KindWord{TrafficKind::kProbe, "probe"},
    KindWord{TrafficKind::kPresenceToDomain, "domain-presence"},
    KindWord{TrafficKind::kMessage, "message"},
    KindWord{TrafficKind::kChatState, "typing"},
    KindWord{TrafficKind::kGroupchat, "groupchat"},
    KindWord{TrafficKind::kMessageToDomain, "domain-message"},
    KindWord{TrafficKind::kError, "error"},
    KindWord{TrafficKind::kIqToUser, "iq"},
    KindWord{TrafficKind::kIqToDomain, "domain-iq"},
    KindWord{TrafficKind::kIqAnswer, "iq-answer"},
    KindWord{TrafficKind::kSipSubscribe, "subscribe"},
    KindWord{TrafficKind::kSipPresence, "presence"},
    KindWord{TrafficKind::kSipMessage, "message"},
    KindWord{TrafficKind::kSipSignal, "typing"},
    KindWord{TrafficKind::kSipOptions, "options"},
};

}  // namespace

std::span<const KindWord> KindWords() {
  return kWords;
}

std::string_view KindName(TrafficKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kWords.size() ? kWords.at(index).word : std::string_view();
}

}  // namespace gatehouse
