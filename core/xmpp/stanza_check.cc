#include "core/xmpp/stanza_check.h"

#include <algorithm>

#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"

namespace gatehouse {

bool HasStanzaName(const proto::Element& element) {
  return element.name() == "message" || element.name() == "presence" || element.name() == "iq";
}

Result<void, StreamCondition> ReadDomains(const proto::Element& element, StanzaDomains& domains) {
  if (!HasStanzaName(element)) return std::unexpected(StreamCondition::kUnsupportedStanzaType);
  if (element.ns() != ns::kServer) return std::unexpected(StreamCondition::kInvalidNamespace);
  const auto from = DomainOfJid(Attribute(element, "from"), domains.scratch[0]);
  if (!from) return std::unexpected(StreamCondition::kImproperAddressing);
  const auto to = DomainOfJid(Attribute(element, "to"), domains.scratch[1]);
  if (!to) return std::unexpected(StreamCondition::kImproperAddressing);
  domains.from = *from;
  domains.to = *to;
  return {};
}

IqShape ShapeOf(const proto::Element& stanza) {
  if (stanza.name() != "iq") return IqShape::kSound;
  const std::string_view type = Attribute(stanza, "type");
  const bool request = type == "get" || type == "set";
  if (!request && type != "result" && type != "error") return IqShape::kInvalidXml;
  if (Attribute(stanza, "id").empty()) return IqShape::kBadRequest;
  const auto elements = std::ranges::count_if(
      stanza.children(), [](const proto::Node& node) { return node.has_element(); });
  return request && elements != 1 ? IqShape::kBadRequest : IqShape::kSound;
}

}  // namespace gatehouse
