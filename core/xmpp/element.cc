#include "core/xmpp/element.h"

#include <array>

#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

using proto::Element;
using proto::StanzaCondition;

struct ConditionRow {
  StanzaCondition condition;
  std::string_view name;
  std::string_view type;
};
// RFC 6120 §8.3.3
// clang-format off
constexpr std::array kConditions = {
    ConditionRow{proto::BAD_REQUEST,             "bad-request",             "modify"},
    ConditionRow{proto::CONFLICT,                "conflict",                "cancel"},
    ConditionRow{proto::FEATURE_NOT_IMPLEMENTED, "feature-not-implemented", "cancel"},
    ConditionRow{proto::FORBIDDEN,               "forbidden",               "auth"},
    ConditionRow{proto::GONE,                    "gone",                    "cancel"},
    ConditionRow{proto::INTERNAL_SERVER_ERROR,   "internal-server-error",   "cancel"},
    ConditionRow{proto::ITEM_NOT_FOUND,          "item-not-found",          "cancel"},
    ConditionRow{proto::JID_MALFORMED,           "jid-malformed",           "modify"},
    ConditionRow{proto::NOT_ACCEPTABLE,          "not-acceptable",          "modify"},
    ConditionRow{proto::NOT_ALLOWED,             "not-allowed",             "cancel"},
    ConditionRow{proto::NOT_AUTHORIZED,          "not-authorized",          "auth"},
    ConditionRow{proto::POLICY_VIOLATION,        "policy-violation",        "modify"},
    ConditionRow{proto::RECIPIENT_UNAVAILABLE,   "recipient-unavailable",   "wait"},
    ConditionRow{proto::REDIRECT,                "redirect",                "modify"},
    ConditionRow{proto::REGISTRATION_REQUIRED,   "registration-required",   "auth"},
    ConditionRow{proto::REMOTE_SERVER_NOT_FOUND, "remote-server-not-found", "cancel"},
    ConditionRow{proto::REMOTE_SERVER_TIMEOUT,   "remote-server-timeout",   "wait"},
    ConditionRow{proto::RESOURCE_CONSTRAINT,     "resource-constraint",     "wait"},
    ConditionRow{proto::SERVICE_UNAVAILABLE,     "service-unavailable",     "cancel"},
    ConditionRow{proto::SUBSCRIPTION_REQUIRED,   "subscription-required",   "auth"},
    ConditionRow{proto::UNDEFINED_CONDITION,     "undefined-condition",     "cancel"},
    ConditionRow{proto::UNEXPECTED_REQUEST,      "unexpected-request",      "wait"},
};
// clang-format on

const proto::Attribute* FindAttribute(const Element& element, std::string_view name,
                                      std::string_view ns) {
  for (const proto::Attribute& attribute : element.attributes())
    if (attribute.name() == name && attribute.ns() == ns) return &attribute;
  return nullptr;
}

}  // namespace

bool Is(const Element& element, std::string_view name, std::string_view ns) {
  return element.name() == name && element.ns() == ns;
}

std::string_view Attribute(const Element& element, std::string_view name, std::string_view ns) {
  const proto::Attribute* found = FindAttribute(element, name, ns);
  return found == nullptr ? std::string_view{} : std::string_view(found->value());
}

bool HasAttribute(const Element& element, std::string_view name, std::string_view ns) {
  return FindAttribute(element, name, ns) != nullptr;
}

void SetAttribute(Element& element, std::string_view name, std::string_view value,
                  std::string_view ns) {
  for (proto::Attribute& attribute : *element.mutable_attributes()) {
    if (attribute.name() != name || attribute.ns() != ns) continue;
    attribute.set_value(value.data(), value.size());
    return;
  }
  proto::Attribute& added = *element.add_attributes();
  added.set_name(name.data(), name.size());
  if (!ns.empty()) added.set_ns(ns.data(), ns.size());
  added.set_value(value.data(), value.size());
}

const Element* FindChild(const Element& element, std::string_view name, std::string_view ns) {
  for (const proto::Node& node : element.children())
    if (node.has_element() && Is(node.element(), name, ns)) return &node.element();
  return nullptr;
}

const Element* FirstChild(const Element& element) {
  for (const proto::Node& node : element.children())
    if (node.has_element()) return &node.element();
  return nullptr;
}

std::string TextOf(const Element& element) {
  std::string text;
  for (const proto::Node& node : element.children())
    if (node.has_text()) text += node.text();
  return text;
}

Element MakeElement(std::string_view name, std::string_view ns) {
  Element element;
  element.set_name(name.data(), name.size());
  element.set_ns(ns.data(), ns.size());
  return element;
}

Element& AddChild(Element& parent, std::string_view name, std::string_view ns) {
  Element& child = *parent.add_children()->mutable_element();
  child.set_name(name.data(), name.size());
  child.set_ns(ns.data(), ns.size());
  return child;
}

void AddText(Element& parent, std::string_view text) {
  parent.add_children()->set_text(text.data(), text.size());
}

std::string_view ConditionName(StanzaCondition condition) {
  for (const ConditionRow& row : kConditions)
    if (row.condition == condition) return row.name;
  return "undefined-condition";
}

StanzaCondition ConditionFromName(std::string_view name) {
  for (const ConditionRow& row : kConditions)
    if (row.name == name) return row.condition;
  return proto::CONDITION_NONE;
}

std::string_view DefaultErrorType(StanzaCondition condition) {
  for (const ConditionRow& row : kConditions)
    if (row.condition == condition) return row.type;
  return "cancel";
}

std::string AnswersFrom(const Element& stanza) {
  const std::string_view to = Attribute(stanza, "to");
  const auto jid = Jid::Parse(to);
  return jid ? jid->ToText() : std::string(to);
}

Element MakeErrorReply(const Element& stanza, StanzaCondition condition, std::string_view text,
                       std::string_view type) {
  Element reply = MakeElement(stanza.name(), stanza.ns());
  SetAttribute(reply, "from", AnswersFrom(stanza));
  SetAttribute(reply, "to", Attribute(stanza, "from"));
  if (HasAttribute(stanza, "id")) SetAttribute(reply, "id", Attribute(stanza, "id"));
  SetAttribute(reply, "type", "error");
  Element& error = AddChild(reply, "error", stanza.ns());
  SetAttribute(error, "type", type.empty() ? DefaultErrorType(condition) : type);
  AddChild(error, ConditionName(condition), ns::kStanzaErrors);
  if (!text.empty()) AddErrorText(reply, text);
  return reply;
}

void AddErrorText(Element& reply, std::string_view text) {
  Element& words =
      AddChild(*reply.mutable_children(0)->mutable_element(), "text", ns::kStanzaErrors);
  SetAttribute(words, "lang", "en", ns::kXml);
  AddText(words, text);
}

}  // namespace gatehouse
