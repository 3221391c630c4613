#include "core/address/sip_address.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/address/ascii.h"
#include "core/address/percent_encoding.h"
#include "core/base/utf8_check.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

// RFC 3261 §25.1: unreserved marks and user-unreserved; they stay literal because a reserved
// character and its percent form are different URIs (§19.1.4).
constexpr std::string_view kUserKeep = "-_.!~*'()&=+$,;?/";
// unreserved marks and param-unreserved. RFC 3261 §25.1
constexpr std::string_view kGruuKeep = "-_.!~*'()[]/:&+$";
// The characters of X-0106 §3.1 and their codes.
struct EscapeCode {
  char plain;
  std::string_view code;
};
constexpr std::array kEscapeCodes = {EscapeCode{' ', "\\20"}, EscapeCode{'"', "\\22"},
                                     EscapeCode{'&', "\\26"}, EscapeCode{'\'', "\\27"},
                                     EscapeCode{'/', "\\2f"}, EscapeCode{':', "\\3a"},
                                     EscapeCode{'<', "\\3c"}, EscapeCode{'>', "\\3e"},
                                     EscapeCode{'@', "\\40"}, EscapeCode{'\\', "\\5c"}};

// The escape code that starts `text`, in either case of its hex digits, or null.
const EscapeCode* CodeAt(std::string_view text) {
  if (text.size() < 3 || text[0] != '\\') return nullptr;
  const std::array<char, 3> start = {'\\', text[1], ascii::Lower(text[2])};
  for (const EscapeCode& code : kEscapeCodes)
    if (code.code == std::string_view(start.data(), start.size())) return &code;
  return nullptr;
}

// C0 or DEL.
bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

std::unexpected<Refusal> Refuse(int status, std::string_view why) {
  return std::unexpected(Refusal{status, why});
}

struct UriParts {
  std::optional<std::string_view> user;
  std::string_view host;
  std::string_view parameters;  // with the leading ';', or empty
};

// The value of a parameter; nullopt when absent, "" when it has none.
std::optional<std::string_view> Parameter(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);  // ';'
    const auto end = std::min(parameters.find(';'), parameters.size());
    const std::string_view one = parameters.substr(0, end);
    const auto equals = std::min(one.find('='), one.size());
    if (ascii::Lower(one.substr(0, equals)) == name)
      return equals == one.size() ? std::string_view() : one.substr(equals + 1);
    parameters.remove_prefix(end);
  }
  return std::nullopt;
}

bool IsPort(std::string_view port) {
  if (port.empty() || port.size() > 5) return false;
  int value = 0;
  for (const char c : port) {
    if (!ascii::IsDigit(c)) return false;
    value = value * 10 + (c - '0');
  }
  return value >= 1 && value <= 65535;
}

// Steps 3 and 4 up to the port: cuts "user@host:port;parameters".
Result<UriParts, Refusal> Split(std::string_view rest) {
  UriParts parts;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    parts.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (parts.user->empty()) return Refuse(400, "empty user part");
    if (parts.user->find(':') != std::string_view::npos) return Refuse(400, "password in URI");
  }
  if (rest.find('?') != std::string_view::npos) return Refuse(400, "headers in URI");
  const auto semicolon = std::min(rest.find(';'), rest.size());
  parts.parameters = rest.substr(semicolon);
  parts.host = rest.substr(0, semicolon);
  if (!parts.host.empty() && parts.host.front() == '[') return Refuse(404, "IP literal as domain");
  if (const auto colon = parts.host.find(':'); colon != std::string_view::npos) {
    if (!IsPort(parts.host.substr(colon + 1))) return Refuse(400, "bad port");
    parts.host = parts.host.substr(0, colon);
  }
  return parts;
}

bool IsHostCharacter(char c) {
  return ascii::IsAlphanumeric(c) || c == '-' || c == '.';
}

// Step 4: an ASCII domain of at least two labels, prepared to U-labels.
Result<std::string, Refusal> Domain(std::string_view host) {
  if (host.empty() || !std::ranges::all_of(host, IsHostCharacter))
    return Refuse(400, "host is no ASCII domain");
  if (host.find_first_not_of("0123456789.") == std::string_view::npos)
    return Refuse(404, "IP literal as domain");
  if (host.find('.') == std::string_view::npos || host.find('.') == host.size() - 1)
    return Refuse(404, "single label as domain");
  auto domain = PrepareDomain(ascii::Lower(host));
  if (!domain) return Refuse(400, "domain cannot be prepared");
  return *std::move(domain);
}

// Preparation maps full-width forms to ASCII (RFC 8265 §3.3.1); doing it before escaping keeps a
// full-width backslash or at sign from turning into an escape code, or a separator, behind our
// back.
std::string NarrowAscii(std::string_view utf8) {
  std::string narrow;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = [&](std::size_t offset) {
      return i + offset < utf8.size() ? static_cast<unsigned char>(utf8[i + offset]) : 0U;
    };
    const unsigned code =
        ((byte(0) & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
    if (byte(0) == 0xEF && code >= 0xFF01 && code <= 0xFF5E) {
      narrow += static_cast<char>(code - 0xFEE0);
      i += 2;
    } else {
      narrow += utf8[i];
    }
  }
  return narrow;
}

// Steps 7 to 10.
Result<std::string, Refusal> Localpart(std::string_view user) {
  const auto legal = [](char c) {
    return ascii::IsAlphanumeric(c) || c == '%' || kUserKeep.find(c) != std::string_view::npos;
  };
  if (!std::ranges::all_of(user, legal)) return Refuse(400, "illegal character in user part");
  const auto decoded = PercentDecode(user);
  if (!decoded) return Refuse(400, "bad percent-encoding");
  if (HasControlCharacter(*decoded)) return Refuse(400, "control character in user part");
  if (!IsUtf8(*decoded)) return Refuse(400, "user part is not UTF-8");
  const std::string narrow = NarrowAscii(*decoded);
  if (narrow.front() == ' ' || narrow.back() == ' ')
    return Refuse(404, "space at the end of the user part");
  auto local = PrepareLocalpart(EscapeLocalpart(narrow));
  if (!local) return Refuse(404, "user part is no localpart");
  return *std::move(local);
}

// Step 11, and the GRUUs of Lync, which carry no `gr`. A resource that cannot be is no reason to
// refuse.
std::string Resource(std::string_view parameters) {
  if (const auto gruu = Parameter(parameters, "gr"); gruu && !gruu->empty()) {
    const auto decoded = PercentDecode(*gruu);
    if (!decoded || decoded->empty() || !IsUtf8(*decoded)) return {};
    return PrepareResourcepart(*decoded).value_or("");
  }
  const auto opaque = Parameter(parameters, "opaque");
  if (!opaque || !opaque->starts_with("user:") || !Parameter(parameters, "gruu")) return {};
  return "lync-" + Hex(Sha256(*opaque)).substr(0, 16);
}

}  // namespace

std::string EscapeLocalpart(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && CodeAt(text.substr(i)) == nullptr) {
      escaped += '\\';
      continue;
    }
    const auto* code = std::ranges::find(kEscapeCodes, text[i], &EscapeCode::plain);
    if (code != kEscapeCodes.end())
      escaped += code->code;
    else
      escaped += text[i];
  }
  return escaped;
}

std::string UnescapeLocalpart(std::string_view local) {
  std::string plain;
  for (std::size_t i = 0; i < local.size(); ++i) {
    const EscapeCode* code = CodeAt(local.substr(i));
    plain += code != nullptr ? code->plain : local[i];
    if (code != nullptr) i += 2;
  }
  return plain;
}

Result<Jid, Refusal> SipUriToJid(std::string_view uri) {
  const auto colon = uri.find(':');
  if (colon == std::string_view::npos) return Refuse(400, "no scheme");
  const std::string scheme = ascii::Lower(uri.substr(0, colon));
  if (scheme != "sip" && scheme != "im" && scheme != "pres")
    return Refuse(416, "scheme is not routed");
  GATEHOUSE_TRY(const auto parts, Split(uri.substr(colon + 1)));
  Jid jid;
  GATEHOUSE_TRY(jid.domain, Domain(parts.host));
  if (!parts.user) return jid;
  if (ascii::Lower(Parameter(parts.parameters, "user").value_or("")) == "phone")
    return Refuse(404, "telephone number");
  GATEHOUSE_TRY(jid.local, Localpart(*parts.user));
  jid.resource = Resource(parts.parameters);
  return jid;
}

std::string LocalpartToSipUser(std::string_view local) {
  return PercentEncode(UnescapeLocalpart(local), kUserKeep);
}

Result<std::string, proto::StanzaCondition> JidToSipUri(const Jid& jid, ResourceUse resource) {
  if (jid.local.starts_with("\\20") || jid.local.ends_with("\\20"))
    return std::unexpected(proto::JID_MALFORMED);
  const auto host = DomainToAscii(jid.domain);
  if (!host) return std::unexpected(proto::ITEM_NOT_FOUND);
  std::string uri = "sip:";
  if (!jid.local.empty()) uri += LocalpartToSipUser(jid.local) + "@";
  uri += *host;
  if (resource == ResourceUse::kAsGruu && !jid.resource.empty())
    uri += ";gr=" + PercentEncode(jid.resource, kGruuKeep);
  return uri;
}

}  // namespace gatehouse
