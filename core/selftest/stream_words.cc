#include "core/selftest/stream_words.h"

#include <algorithm>

#include "core/xmpp/element.h"

namespace gatehouse::selftest {

std::string FeaturesWord(const proto::Element& features) {
  std::string word = "[";
  const auto add = [&word](std::string_view name) {
    if (word.size() > 1) word += ' ';
    word += name;
  };
  if (const proto::Element* tls = FindChild(features, "starttls", ns::kTls))
    add(FindChild(*tls, "required", ns::kTls) != nullptr ? "tls!" : "tls");
  if (const proto::Element* sasl = FindChild(features, "mechanisms", ns::kSasl))
    for (const proto::Node& node : sasl->children())
      if (node.has_element()) add(TextOf(node.element()) == "EXTERNAL" ? "EXT" : "SASL");
  if (FindChild(features, "dialback", ns::kDialbackFeature) != nullptr) add("db");
  return word + ']';
}

std::string_view ConditionOf(const proto::Element& error) {
  const auto named = std::ranges::find_if(error.children(), [](const proto::Node& node) {
    return node.has_element() && node.element().name() != "text";
  });
  return named == error.children().end() ? "none" : std::string_view(named->element().name());
}

std::string_view DialbackCondition(const proto::Element& result) {
  const proto::Element* error = FirstChild(result);
  return error == nullptr ? "none" : ConditionOf(*error);
}

}  // namespace gatehouse::selftest
