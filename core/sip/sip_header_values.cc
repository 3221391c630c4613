#include "core/sip/sip_header_values.h"

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/sip/sip_grammar.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

std::string_view View(const char* text) {
  return text == nullptr ? std::string_view{} : Trim(text);
}

// `value` as a C string of its own. A NUL inside a quoted pair becomes '?': osipparser2 would stop
// there.
char* CopyForOsip(std::string_view value, SipArena& arena) {
  auto* copy = static_cast<char*>(arena.Allocate(value.size() + 1));
  if (copy == nullptr) return nullptr;
  std::ranges::replace_copy(value, copy, '\0', '?');
  copy[value.size()] = '\0';
  return copy;
}

constexpr CharacterSet kNotInHost(" \t,\"<>@");
constexpr CharacterSet kNeedsAngles("?,");

// The parameters of a Via that mean something here. False where the list is malformed.
bool TakeViaParameters(std::string_view list, SipVia& via) {
  return ReadParameters(list, [&via](std::string_view name, std::string_view value) {
    if (EqualsNoCase(name, "branch")) via.branch = value;
    if (EqualsNoCase(name, "received")) via.received = value;
    if (EqualsNoCase(name, "alias")) via.alias = true;
    if (!EqualsNoCase(name, "rport")) return;
    via.rport = true;
    via.rport_value = Number<std::uint16_t>(value).value_or(0);
  });
}

std::string_view UnquotedParameter(std::string_view list, std::string_view name) {
  std::string_view value = Parameter(list, name).value_or(std::string_view{});
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return value;
}

bool IsDisplayName(std::string_view text) {
  if (text.empty() || text.front() == '"') return true;  // a quoted string was checked for its end
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.find('\t'));
    if (!IsToken(text.substr(0, end))) return false;
    text = end == std::string_view::npos ? std::string_view{} : Trim(text.substr(end));
  }
  return true;
}

// Where the URI stands in a name-addr or addr-spec, and what follows it.
struct Location {
  std::string_view display_name, uri, params;
};
std::optional<Location> Locate(std::string_view value) {
  if (!IsBalanced(value)) return std::nullopt;
  Location found;
  const std::size_t open = FindOutsideQuotes(value, '<', false);
  if (open == std::string_view::npos) {
    const std::size_t semicolon = value.find(';');
    found.uri = Trim(value.substr(0, semicolon));
    if (kNeedsAngles.In(found.uri)) return std::nullopt;
    if (semicolon != std::string_view::npos) found.params = value.substr(semicolon);
  } else {
    const std::size_t close = value.find('>', open);
    found.display_name = Trim(value.substr(0, open));
    if (!IsDisplayName(found.display_name)) return std::nullopt;
    found.uri = value.substr(open + 1, close - open - 1);
    found.params = Trim(value.substr(close + 1));
  }
  if (!found.params.empty() && found.params.front() != ';') return std::nullopt;
  if (FindOutsideQuotes(found.params, ',', false) != std::string_view::npos) return std::nullopt;
  return found;
}

// Other schemes are none of our business here (RFC 4475 §3.3.4); a SIP URI has to be one.
bool IsUri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !IsToken(text.substr(0, colon))) return false;
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' && c >= '\0'; })) return false;
  const std::string_view scheme = text.substr(0, colon);
  if (!EqualsNoCase(scheme, "sip") && !EqualsNoCase(scheme, "sips")) return true;
  return SipUri::Parse(text).has_value();
}

}  // namespace

std::optional<SipVia> ReadVia(std::string_view value, SipArena& arena) {
  const std::size_t semicolon = value.find(';');
  const std::string_view params =
      semicolon == std::string_view::npos ? std::string_view{} : value.substr(semicolon);
  SipVia read;
  read.text = value;
  if (!TakeViaParameters(params, read)) return std::nullopt;
  if (!EqualsNoCase(Trim(value.substr(0, value.find('/'))), "SIP")) return std::nullopt;
  // The parameters are read here: osipparser2 would make a list of them first.
  const char* text = CopyForOsip(Trim(value.substr(0, semicolon)), arena);
  const OsipLending lending(arena);
  osip_via_t* via = nullptr;
  if (text == nullptr || osip_via_init(&via) != 0 || osip_via_parse(via, text) != 0)
    return std::nullopt;
  read.transport = View(via->protocol);
  read.host = View(via->host);
  if (View(via->version) != "2.0" || !IsToken(read.transport) || read.host.empty() ||
      kNotInHost.In(read.host))
    return std::nullopt;
  if (via->port == nullptr) return read;
  const auto port = Number<std::uint16_t>(View(via->port));
  if (!port || *port == 0) return std::nullopt;
  read.port = *port;
  return read;
}

std::optional<std::size_t> ReadVias(std::string_view value, std::span<SipVia> vias,
                                    SipArena& arena) {
  std::size_t count = 0;
  for (;;) {
    if (count == vias.size()) return std::nullopt;
    const std::size_t comma = FindOutsideQuotes(value, ',', false);
    const auto via = ReadVia(Trim(value.substr(0, comma)), arena);
    if (!via) return std::nullopt;
    vias[count++] = *via;
    if (comma == std::string_view::npos) return count;
    value.remove_prefix(comma + 1);
  }
}

std::optional<SipNameAddr> ReadNameAddr(std::string_view value, SipArena& arena) {
  const auto found = Locate(value);
  if (!found || !IsUri(found->uri)) return std::nullopt;
  SipNameAddr read{.display_name = {}, .uri = found->uri, .tag = {}, .text = value};
  const bool named =
      ReadParameters(found->params, [&read](std::string_view name, std::string_view tag) {
        if (EqualsNoCase(name, "tag")) read.tag = tag;
      });
  if (!named) return std::nullopt;
  if (found->display_name.empty()) return read;
  const char* text = CopyForOsip(value, arena);
  const OsipLending lending(arena);
  osip_from_t* address = nullptr;
  if (text == nullptr || osip_from_init(&address) != 0 || osip_from_parse(address, text) != 0)
    return std::nullopt;
  std::string_view name = View(address->displayname);
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
    name = name.substr(1, name.size() - 2);
  read.display_name = name;
  return read;
}

std::optional<SipCSeq> ReadCSeq(std::string_view value, SipArena& arena) {
  const OsipLending lending(arena);
  osip_cseq_t* cseq = nullptr;
  const char* const ended = value.data();  // by a NUL
  if (osip_cseq_init(&cseq) != 0 || osip_cseq_parse(cseq, ended) != 0) return std::nullopt;
  const auto number = Number<std::uint32_t>(View(cseq->number));
  const std::string_view method = View(cseq->method);
  if (!number || *number > std::numeric_limits<std::int32_t>::max() || !IsToken(method))
    return std::nullopt;
  return SipCSeq{.number = *number, .method = method};
}

std::optional<SipContentType> ReadContentType(std::string_view value, SipArena& arena) {
  const std::size_t semicolon = FindOutsideQuotes(value, ';', false);
  const std::string_view params =
      semicolon == std::string_view::npos ? std::string_view{} : value.substr(semicolon);
  const OsipLending lending(arena);
  osip_content_type_t* content = nullptr;
  const char* const ended = value.data();  // by a NUL
  if (!IsBalanced(value) || osip_content_type_init(&content) != 0 ||
      osip_content_type_parse(content, ended) != 0)
    return std::nullopt;
  const std::string_view type = View(content->type);
  const std::string_view subtype = View(content->subtype);
  if (!IsToken(type) || !IsToken(subtype)) return std::nullopt;
  const auto text = arena.Array<char>(type.size() + 1 + subtype.size());
  if (text.empty()) return std::nullopt;
  auto out = std::ranges::transform(type, text.begin(), Lower).out;
  *out++ = '/';
  std::ranges::transform(subtype, out, Lower);
  return SipContentType{.type = {text.data(), text.size()},
                        .charset = UnquotedParameter(params, "charset")};
}

}  // namespace gatehouse
