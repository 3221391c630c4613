#include "plugins/tls_listener/stanza_return.h"

#include <array>
#include <ctime>

#include "core/xmpp/element.h"

namespace gatehouse {

StanzaReturn ReturnOf(const proto::Element& stanza) {
  const std::string_view type = Attribute(stanza, "type");
  if (stanza.name() == "message")
    return type == "error" ? StanzaReturn::kAgain : StanzaReturn::kAgainDated;
  if (type == "error" || type == "result") return StanzaReturn::kAgain;
  if (stanza.name() == "presence" && (type.empty() || type == "unavailable"))
    return StanzaReturn::kIfNewest;
  return StanzaReturn::kNever;
}

std::string SubjectOf(const proto::Element& stanza) {
  std::string subject(Attribute(stanza, "from"));
  return subject.append(1, '\n').append(Attribute(stanza, "to"));
}

std::string WithDelay(std::string xml, std::string_view from, std::int64_t unix_s) {
  const std::size_t end = xml.rfind("</");
  // The writer escapes every apostrophe of the content: this can only be markup.
  if (end == std::string::npos || xml.find("xmlns='urn:xmpp:delay'") != std::string::npos)
    return xml;
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm utc{};
  std::array<char, 24> stamp{};
  gmtime_r(&time, &utc);
  std::strftime(stamp.data(), stamp.size(), "%FT%TZ", &utc);
  std::string delay = "<delay xmlns='urn:xmpp:delay' from='";
  delay.append(from).append("' stamp='").append(stamp.data()).append("'/>");
  xml.insert(end, delay);
  return xml;
}

}  // namespace gatehouse
