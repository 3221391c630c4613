#include "core/xmpp/stanza_check.h"

#include <algorithm>

#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"

namespace gatehouse {

bool HasStanzaName(const proto::Element& element) {
  return element.name() == "message" || element.name() == "presence" || element.name() == "iq";
}

Result<StanzaAddresses, StreamCondition> ReadAddresses(const proto::Element& element) {
  if (!HasStanzaName(element)) return std::unexpected(StreamCondition::kUnsupportedStanzaType);
  if (element.ns() != ns::kServer) return std::unexpected(StreamCondition::kInvalidNamespace);
  auto from = Jid::Parse(Attribute(element, "from"));
  if (!from) return std::unexpected(StreamCondition::kImproperAddressing);
  auto to = Jid::Parse(Attribute(element, "to"));
  if (!to) return std::unexpected(StreamCondition::kImproperAddressing);
  return StanzaAddresses{std::move(from->domain), std::move(to->domain)};
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
