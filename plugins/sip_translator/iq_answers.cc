#include "plugins/sip_translator/iq_answers.h"

#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

using proto::Element;

constexpr std::string_view kDiscoInfo = "http://jabber.org/protocol/disco#info";
constexpr std::string_view kDiscoItems = "http://jabber.org/protocol/disco#items";

Element Answer(const Element& iq) {
  Element answer = MakeElement("iq", iq.ns());
  SetAttribute(answer, "from", Attribute(iq, "to"));
  SetAttribute(answer, "to", Attribute(iq, "from"));
  SetAttribute(answer, "id", Attribute(iq, "id"));
  SetAttribute(answer, "type", "result");
  return answer;
}

void AddDiscoInfo(Element& answer) {
  Element& query = AddChild(answer, "query", kDiscoInfo);
  Element& identity = AddChild(query, "identity", kDiscoInfo);
  SetAttribute(identity, "category", "gateway");
  SetAttribute(identity, "type", "simple");
  for (const std::string_view feature : {kDiscoInfo, ns::kPing})
    SetAttribute(AddChild(query, "feature", kDiscoInfo), "var", feature);
}

int ElementCount(const Element& element) {
  int count = 0;
  for (const proto::Node& node : element.children()) count += node.has_element() ? 1 : 0;
  return count;
}

}  // namespace

Element AnswerIq(const Element& iq, bool to_domain) {
  if (ElementCount(iq) != 1) return MakeErrorReply(iq, proto::BAD_REQUEST);
  const Element& payload = *FirstChild(iq);
  // A disco node we do not have is item-not-found in XEP-0030 §3.2; we have none at all.
  const bool plain =
      to_domain && Attribute(iq, "type") == "get" && Attribute(payload, "node").empty();
  Element answer = Answer(iq);
  if (plain && Is(payload, "ping", ns::kPing)) return answer;
  if (plain && Is(payload, "query", kDiscoInfo)) return AddDiscoInfo(answer), answer;
  if (plain && Is(payload, "query", kDiscoItems))
    return AddChild(answer, "query", kDiscoItems), answer;
  return MakeErrorReply(iq, proto::SERVICE_UNAVAILABLE);
}

}  // namespace gatehouse::translator
