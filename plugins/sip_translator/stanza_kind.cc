#include "plugins/sip_translator/stanza_kind.h"

#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

TrafficKind KindOfPresence(std::string_view type, bool to_user) {
  if (type == "error") return TrafficKind::kError;
  if (!to_user) return TrafficKind::kPresenceToDomain;
  if (type == "subscribe") return TrafficKind::kSubscribe;
  if (type == "unsubscribe") return TrafficKind::kUnsubscribe;
  if (type == "subscribed") return TrafficKind::kSubscribed;
  if (type == "unsubscribed") return TrafficKind::kUnsubscribed;
  if (type == "probe") return TrafficKind::kProbe;
  return TrafficKind::kPresence;
}

TrafficKind KindOfMessage(const proto::Element& message, std::string_view type, bool to_user) {
  if (type == "error") return TrafficKind::kError;
  if (!to_user) return TrafficKind::kMessageToDomain;
  if (type == "groupchat") return TrafficKind::kGroupchat;
  const bool has_body = FindChild(message, "body", message.ns()) != nullptr;
  return has_body ? TrafficKind::kMessage : TrafficKind::kChatState;
}

TrafficKind KindOfIq(std::string_view type, bool to_user) {
  if (type != "get" && type != "set") return TrafficKind::kIqAnswer;
  return to_user ? TrafficKind::kIqToUser : TrafficKind::kIqToDomain;
}

}  // namespace

TrafficKind KindOf(const proto::Element& stanza, const Jid& to) {
  const std::string_view type = Attribute(stanza, "type");
  const bool to_user = !to.local.empty();
  if (stanza.name() == "presence") return KindOfPresence(type, to_user);
  if (stanza.name() == "message") return KindOfMessage(stanza, type, to_user);
  return KindOfIq(type, to_user);
}

}  // namespace gatehouse::translator
