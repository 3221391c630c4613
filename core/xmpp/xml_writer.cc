#include "core/xmpp/xml_writer.h"

#include "core/xmpp/element.h"

namespace gatehouse {
namespace {

enum class Place { kText, kAttribute };

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What stands for `c`; empty where it stands for itself.
std::string_view EscapeOf(char c, Place place) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\r':
      return "&#xD;";
    case '\t':
      return place == Place::kAttribute ? "&#x9;" : "";
    case '\n':
      return place == Place::kAttribute ? "&#xA;" : "";
    default:
      // Characters XML 1.0 cannot carry at all; one of them would cost us the whole stream.
      return static_cast<unsigned char>(c) < 0x20 ? kReplacement : "";
  }
}

void Escape(std::string& out, std::string_view text, Place place) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte > '>') continue;
    const std::string_view escape = EscapeOf(text[i], place);
    if (escape.empty()) continue;
    out.append(text, begin, i - begin);
    out += escape;
    begin = i + 1;
  }
  out.append(text, begin);
}

void AppendAttribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "='";
  Escape(out, value, Place::kAttribute);
  out += '\'';
}

void AppendAttributes(std::string& out, const proto::Element& element) {
  int prefixes = 0;
  for (const proto::Attribute& attribute : element.attributes()) {
    if (attribute.ns().empty()) {
      AppendAttribute(out, attribute.name(), attribute.value());
    } else if (attribute.ns() == ns::kXml) {
      AppendAttribute(out, "xml:" + attribute.name(), attribute.value());
    } else {
      const std::string prefix = "a" + std::to_string(prefixes++);
      AppendAttribute(out, "xmlns:" + prefix, attribute.ns());
      AppendAttribute(out, prefix + ":" + attribute.name(), attribute.value());
    }
  }
}

// The prefix our stream header has declared for `ns`, with its colon.
std::string_view StreamPrefix(std::string_view name_space) {
  if (name_space == ns::kDialback) return "db:";
  if (name_space == ns::kStream) return "stream:";
  if (name_space == ns::kXml) return "xml:";  // bound to this prefix for ever, and to no other
  return {};
}

void AppendElement(std::string& out, const proto::Element& element, std::string_view default_ns) {
  const std::string_view prefix = StreamPrefix(element.ns());
  out += '<';
  out += prefix;
  out += element.name();
  if (prefix.empty() && element.ns() != default_ns) {
    AppendAttribute(out, "xmlns", element.ns());
    default_ns = element.ns();
  }
  AppendAttributes(out, element);
  if (element.children().empty()) {
    out += "/>";
    return;
  }
  out += '>';
  for (const proto::Node& node : element.children()) {
    if (node.has_element()) AppendElement(out, node.element(), default_ns);
    if (node.has_text()) Escape(out, node.text(), Place::kText);
  }
  out += "</";
  out += prefix;
  out += element.name();
  out += '>';
}

}  // namespace

void AppendXml(std::string& out, const proto::Element& element) {
  AppendElement(out, element, ns::kServer);
}

void AppendEscaped(std::string& out, std::string_view text) {
  Escape(out, text, Place::kAttribute);
}

std::string StreamHeaderXml(const HeaderOut& header) {
  std::string xml =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
      "xmlns:stream='http://etherx.jabber.org/streams'";
  if (header.dialback) xml += " xmlns:db='jabber:server:dialback'";
  if (!header.from.empty()) AppendAttribute(xml, "from", header.from);
  if (!header.to.empty()) AppendAttribute(xml, "to", header.to);
  if (!header.id.empty()) AppendAttribute(xml, "id", header.id);
  if (header.lang) xml += " xml:lang='en'";
  if (header.version) xml += " version='1.0'";
  xml += '>';
  return xml;
}

std::string XmlOf(const proto::Element& element) {
  std::string xml;
  AppendXml(xml, element);
  return xml;
}

}  // namespace gatehouse
