#include "plugins/sip_translator/page_mode.h"

#include <algorithm>

#include "core/address/ascii.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/sip_body.h"
#include "plugins/sip_translator/text.h"

namespace gatehouse::translator {
namespace {

using proto::Element;

constexpr std::string_view kCarbons = "urn:xmpp:carbons:2";
constexpr std::string_view kForward = "urn:xmpp:forward:0";
constexpr std::string_view kCorrection = "urn:xmpp:message-correct:0";

// The xml:lang of a child of `message`, which inherits that of the stanza. RFC 6120 §8.1.5
std::string_view LanguageOf(const Element& child, const Element& message) {
  const Element& owner = HasAttribute(child, "lang", ns::kXml) ? child : message;
  return Attribute(owner, "lang", ns::kXml);
}

// The child `name` in the stanza's own language, else the first. 8.5
const Element* PickByLanguage(const Element& message, std::string_view name) {
  const std::string wanted = ascii::Lower(Attribute(message, "lang", ns::kXml));
  const Element* first = nullptr;
  for (const proto::Node& node : message.children()) {
    if (!node.has_element() || !Is(node.element(), name, message.ns())) continue;
    if (ascii::Lower(LanguageOf(node.element(), message)) == wanted) return &node.element();
    if (first == nullptr) first = &node.element();
  }
  return first;
}

// A copy of somebody else's message is never unwrapped, nor is its wrapper's body read. 8.9
bool CarriesACopy(const Element& message) {
  return FindChild(message, "sent", kCarbons) != nullptr ||
         FindChild(message, "received", kCarbons) != nullptr ||
         FindChild(message, "forwarded", kForward) != nullptr;
}

// 8.6
bool MayBeCallId(std::string_view thread) {
  return thread.size() >= 8 && thread.size() <= 128 && std::ranges::all_of(thread, [](char c) {
           return ascii::IsAlphanumeric(c) || c == '.' || c == '-';
         });
}

std::string DateOf(const Element& message, WallTime now) {
  const Element* delay = FindChild(message, "delay", ns::kDelay);
  if (delay == nullptr) return {};
  const auto stamp = ParseStamp(Attribute(*delay, "stamp"));
  return stamp && *stamp <= now ? WriteSipDate(*stamp) : std::string();
}

std::size_t EscapedSize(std::string_view text) {
  std::size_t size = text.size();
  for (const char c : text)
    if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') size += 5;
  return size;
}

// An upper bound of the element's octets as XML.
std::size_t MarkupSize(const Element& element) {
  std::size_t size = 2 * element.name().size() + element.ns().size() + 16;
  for (const proto::Attribute& attribute : element.attributes())
    size += attribute.name().size() + EscapedSize(attribute.value()) + 8;
  for (const proto::Node& node : element.children())
    size += node.has_element() ? MarkupSize(node.element()) : EscapedSize(node.text());
  return size;
}

void AddTextChild(Element& parent, std::string_view name, std::string_view text) {
  if (!text.empty()) AddText(AddChild(parent, name, parent.ns()), text);
}

// The SIP Date as <delay/>, where it is old enough to matter and not from the future. 8.9
void AddDelay(Element& message, std::optional<WallTime> sent, std::string_view from, WallTime now) {
  if (!sent || now - *sent <= kDelayWorthTelling) return;
  Element& delay = AddChild(message, "delay", ns::kDelay);
  SetAttribute(delay, "from", from);
  SetAttribute(delay, "stamp", WriteStamp(*sent));
}

// RFC 3428 §4: Expires counts from Date, or from now where there is none.
bool HasElapsed(std::optional<std::uint32_t> expires_s, std::optional<WallTime> sent,
                WallTime now) {
  return expires_s && sent.value_or(now) + std::chrono::seconds(*expires_s) <= now;
}

}  // namespace

std::string FirstLanguage(std::string_view list) {
  const std::string_view tag = ascii::Trim(list.substr(0, list.find(',')));
  const bool shaped = !tag.empty() && tag.size() <= 35 && std::ranges::all_of(tag, [](char c) {
    return ascii::IsAlphanumeric(c) || c == '-';
  });
  return shaped ? std::string(tag) : std::string();
}

std::optional<PageContent> ReadMessageStanza(const Element& message, WallTime now) {
  const Element* body = PickByLanguage(message, "body");
  if (body == nullptr || CarriesACopy(message)) return std::nullopt;
  PageContent content;
  content.body = CleanForXmpp(TextOf(*body));
  if (content.body.empty()) return std::nullopt;
  if (FindChild(message, "replace", kCorrection) != nullptr)
    content.body.insert(0, "* ");  // XEP-0308
  if (const Element* subject = PickByLanguage(message, "subject"))
    content.subject = OneLine(TextOf(*subject), kMaxSubjectOctets);
  content.content_language = FirstLanguage(LanguageOf(*body, message));
  content.date = DateOf(message, now);
  if (const Element* thread = FindChild(message, "thread", message.ns()))
    if (std::string text = TextOf(*thread); MayBeCallId(text)) content.thread = std::move(text);
  return content;
}

Result<bool, Refusal> MakeMessageStanza(const PageRequest& request, const PageAddresses& addresses,
                                        std::string_view id, WallTime now, Element& message) {
  const auto sent = ParseSipDate(request.date);
  if (HasElapsed(request.expires_s, sent, now))
    return std::unexpected(Refusal{408, "Expires has elapsed"});
  const std::string coding = ascii::Lower(request.content_encoding);
  if (!coding.empty() && coding != "identity")
    return std::unexpected(Refusal{415, "content encoding"});
  GATEHOUSE_TRY(const auto text, ReadPlainText(request.entity));
  if (text.empty()) return false;

  message.set_name("message");
  message.set_ns(ns::kServer.data(), ns::kServer.size());
  SetAttribute(message, "from", addresses.from.ToText());
  SetAttribute(message, "to", addresses.to.ToText());
  SetAttribute(message, "id", id);
  if (const std::string lang = FirstLanguage(request.content_language); !lang.empty())
    SetAttribute(message, "lang", lang, ns::kXml);
  AddTextChild(message, "subject", CleanForXmpp(OneLine(request.subject, kMaxSubjectOctets)));
  AddTextChild(message, "thread", OneLine(request.call_id, kMaxSubjectOctets));
  AddTextChild(message, "body", text);
  AddDelay(message, sent, addresses.from.domain, now);
  const bool may_be_large = text.size() > kPartnerStanzaOctets / 8;  // escaping makes six of one
  if (may_be_large && MarkupSize(message) > kPartnerStanzaOctets)
    return std::unexpected(Refusal{513, "larger than a stanza may be"});
  return true;
}

}  // namespace gatehouse::translator
