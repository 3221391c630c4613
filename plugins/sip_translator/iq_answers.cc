#include "plugins/sip_translator/iq_answers.h"

#include <initializer_list>

#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

using proto::Element;

constexpr std::string_view kDiscoInfo = "http://jabber.org/protocol/disco#info";
constexpr std::string_view kDiscoItems = "http://jabber.org/protocol/disco#items";

Element Answer(const Element& iq) {
  Element answer = MakeElement("iq", iq.ns());
  SetAttribute(answer, "from", AnswersFrom(iq));
  SetAttribute(answer, "to", Attribute(iq, "from"));
  SetAttribute(answer, "id", Attribute(iq, "id"));
  SetAttribute(answer, "type", "result");
  return answer;
}

struct Identity {
  std::string_view category;
  std::string_view type;
};

void AddDiscoInfo(Element& answer, const Identity& is,
                  std::initializer_list<std::string_view> features) {
  Element& query = AddChild(answer, "query", kDiscoInfo);
  Element& identity = AddChild(query, "identity", kDiscoInfo);
  SetAttribute(identity, "category", is.category);
  SetAttribute(identity, "type", is.type);
  for (const std::string_view feature : features)
    SetAttribute(AddChild(query, "feature", kDiscoInfo), "var", feature);
}

int ElementCount(const Element& element) {
  int count = 0;
  for (const proto::Node& node : element.children()) count += node.has_element() ? 1 : 0;
  return count;
}

}  // namespace

Element AnswerIq(const Element& iq, const Jid& to) {
  if (ElementCount(iq) != 1) return MakeErrorReply(iq, proto::BAD_REQUEST);
  const Element& payload = *FirstChild(iq);
  // A disco node we do not have is item-not-found in XEP-0030 §3.2; we have none at all.
  const bool plain = Attribute(iq, "type") == "get" && Attribute(payload, "node").empty();
  const bool to_domain = plain && to.local.empty();
  const bool to_bare_user = plain && !to.local.empty() && to.resource.empty();
  const bool info = Is(payload, "query", kDiscoInfo);
  Element answer = Answer(iq);
  if (to_domain && Is(payload, "ping", ns::kPing)) return answer;
  if (to_domain && info)
    return AddDiscoInfo(answer, {"gateway", "simple"}, {kDiscoInfo, ns::kPing}), answer;
  if (to_domain && Is(payload, "query", kDiscoItems))
    return AddChild(answer, "query", kDiscoItems), answer;
  if (to_bare_user && info)
    return AddDiscoInfo(answer, {"account", "registered"}, {kDiscoInfo}), answer;
  return MakeErrorReply(iq, proto::SERVICE_UNAVAILABLE);
}

}  // namespace gatehouse::translator
