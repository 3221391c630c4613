#include "core/xmpp/stream_errors.h"

#include <array>

#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

// In the order of StreamCondition. RFC 6120 §4.9.3
constexpr std::array<std::string_view, 25> kNames = {
    "bad-format",
    "bad-namespace-prefix",
    "conflict",
    "connection-timeout",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "internal-server-error",
    "invalid-from",
    "invalid-namespace",
    "invalid-xml",
    "not-authorized",
    "not-well-formed",
    "policy-violation",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "restricted-xml",
    "see-other-host",
    "system-shutdown",
    "undefined-condition",
    "unsupported-encoding",
    "unsupported-feature",
    "unsupported-stanza-type",
    "unsupported-version",
};
static_assert(kNames.size() == static_cast<std::size_t>(StreamCondition::kUnsupportedVersion) + 1);
constexpr std::string_view kErrorNamespace = "urn:ietf:params:xml:ns:xmpp-streams";

}  // namespace

std::string_view StreamConditionName(StreamCondition condition) {
  return kNames[static_cast<std::size_t>(condition)];
}

std::string StreamErrorXml(StreamCondition condition, std::string_view text) {
  std::string xml = "<stream:error><";
  xml += StreamConditionName(condition);
  xml += " xmlns='";
  xml += kErrorNamespace;
  xml += "'/>";
  if (!text.empty()) {
    xml += "<text xmlns='";
    xml += kErrorNamespace;
    xml += "' xml:lang='en'>";
    AppendEscaped(xml, text);
    xml += "</text>";
  }
  xml += "</stream:error>";
  xml += kStreamFooter;
  return xml;
}

}  // namespace gatehouse
