#include "core/sip/sip_uri.h"

#include <algorithm>
#include <array>

#include "core/sip/sip_grammar.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

// Visible ASCII without '<', '>' and '"'; '%' is looked at more closely.
constexpr std::array<bool, 256> kUriCharacters = [] {
  std::array<bool, 256> allowed{};
  for (unsigned char c = 0x21; c < 0x7f; ++c) allowed[c] = c != '<' && c != '>' && c != '"';
  return allowed;
}();

bool HasOnlyUriCharacters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!kUriCharacters[static_cast<unsigned char>(c)]) return false;
    if (c != '%') continue;
    if (i + 2 >= text.size() || !IsHex(text[i + 1]) || !IsHex(text[i + 2])) return false;
  }
  return true;
}

bool IsHostText(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'z') || c == '.' || c == '-' || c == '_';
  });
}

bool ReadHostPort(std::string_view text, SipUri& uri) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const std::size_t colon = text.find(':', bracket);
  uri.host = text.substr(0, colon);
  if (!IsHostText(uri.host)) return false;
  if (colon == std::string_view::npos) return true;
  const auto port = Number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return false;
  uri.port = *port;
  return true;
}

void ReadUserInfo(std::string_view text, SipUri& uri) {
  const std::size_t colon = text.find(':');
  uri.user = text.substr(0, colon);
  if (colon != std::string_view::npos) uri.password = text.substr(colon + 1);
}

}  // namespace

std::optional<SipUri> SipUri::Parse(std::string_view text) {
  if (!HasOnlyUriCharacters(text)) return std::nullopt;
  SipUri uri;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  uri.scheme = text.substr(0, colon);
  uri.secure = EqualsNoCase(uri.scheme, "sips");
  if (!uri.secure && !EqualsNoCase(uri.scheme, "sip")) return std::nullopt;
  std::string_view rest = text.substr(colon + 1);
  // The user part may hold ';' and '?', so that '@' is looked for first (RFC 3261 §19.1.1).
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    if (at == 0) return std::nullopt;
    ReadUserInfo(rest.substr(0, at), uri);
    rest.remove_prefix(at + 1);
  }
  if (const std::size_t question = rest.find('?'); question != std::string_view::npos) {
    uri.headers = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  if (const std::size_t semicolon = rest.find(';'); semicolon != std::string_view::npos) {
    uri.params = rest.substr(semicolon);
    rest = rest.substr(0, semicolon);
  }
  if (!ReadHostPort(rest, uri)) return std::nullopt;
  return uri;
}

std::optional<std::string_view> SipUri::Param(std::string_view name) const {
  return Parameter(params, name);
}

}  // namespace gatehouse
