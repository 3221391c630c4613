#include "plugins/sip_translator/stanza_check.h"

#include "core/base/limits.h"
#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

// The listener counts elements; a text may stand before, between and behind them. Stricter than
// the listener this must never be, or a partner could have it restarted.
constexpr int kMaxNodes = 2 * kMaxChildren + 1;

bool IsWithinLimits(const proto::Element& element, int depth) {
  if (depth > kMaxDepth || element.name().empty() || element.name().size() > kMaxNameBytes)
    return false;
  if (element.attributes_size() > kMaxAttributes || element.children_size() > kMaxNodes)
    return false;
  for (const proto::Attribute& attribute : element.attributes())
    if (attribute.name().size() > kMaxNameBytes ||
        attribute.value().size() > kMaxAttributeValueBytes)
      return false;
  for (const proto::Node& node : element.children())
    if (node.has_element() && !IsWithinLimits(node.element(), depth + 1)) return false;
  return true;
}

bool IsStanza(const proto::Element& element) {
  return element.ns() == ns::kServer &&
         (element.name() == "message" || element.name() == "presence" || element.name() == "iq");
}

}  // namespace

std::optional<StanzaAddresses> CheckInbound(const proto::InboundStanza& inbound) {
  const proto::Element& stanza = inbound.stanza();
  if (!IsStanza(stanza) || !IsWithinLimits(stanza, 1)) return std::nullopt;
  auto from = Jid::Parse(Attribute(stanza, "from"));
  auto to = Jid::Parse(Attribute(stanza, "to"));
  if (!from || !to) return std::nullopt;
  if (from->domain != inbound.from_domain() || to->domain != inbound.to_domain())
    return std::nullopt;
  return StanzaAddresses{*std::move(from), *std::move(to)};
}

}  // namespace gatehouse::translator
