#include "core/xmpp/jid.h"

#include <unicode/uidna.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/base/limits.h"
#include "core/xmpp/precis.h"

namespace gatehouse {
namespace {

// RFC 1035 §2.3.4, without the root's dot.
constexpr std::size_t kMaxAsciiDomainBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// One lower-case LDH label that is no A-label and reserves nothing. RFC 5890 §2.3.1
bool IsPlainLabel(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  if (label.size() > 3 && label[2] == '-' && label[3] == '-') return false;
  return std::ranges::all_of(
      label, [](char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-'; });
}

bool IsPlainResource(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

// At least two labels; the last not a number, or it would be an IPv4 address (6.1).
bool IsNameOfHost(std::string_view domain) {
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == domain.size()) return false;
  return !std::ranges::all_of(domain.substr(dot + 1), IsDigit);
}

bool IsPlainDomain(std::string_view domain) {
  if (domain.size() > kMaxAsciiDomainBytes || !IsNameOfHost(domain)) return false;
  for (std::size_t begin = 0; begin <= domain.size();) {
    const std::size_t end = std::min(domain.find('.', begin), domain.size());
    if (!IsPlainLabel(domain.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

struct CloseIdna {
  void operator()(UIDNA* idna) const noexcept { uidna_close(idna); }
};

// ICU's table of UTS 46; opening one costs 100 us, it never changes and any thread may read it.
const UIDNA* Idna() {
  static const std::unique_ptr<UIDNA, CloseIdna> idna = [] {
    UErrorCode status = U_ZERO_ERROR;
    return std::unique_ptr<UIDNA, CloseIdna>(
        uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                            UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
                        &status));
  }();
  return idna.get();
}

using Convert = std::int32_t (*)(const UIDNA*, const char*, std::int32_t, char*, std::int32_t,
                                 UIDNAInfo*, UErrorCode*);

Result<std::string> ConvertDomain(Convert convert, std::string_view domain) {
  if (Idna() == nullptr) return Trouble("ICU: no UTS 46 data");
  UErrorCode status = U_ZERO_ERROR;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  std::array<char, kMaxJidPartBytes + 1> out{};
  const std::int32_t size =
      convert(Idna(), domain.data(), static_cast<std::int32_t>(domain.size()), out.data(),
              static_cast<std::int32_t>(out.size()), &info, &status);
  if (U_FAILURE(status) || info.errors != 0 || size < 0)
    return BadPeer("address: not a domain name IDNA2008 allows");
  return std::string(out.data(), static_cast<std::size_t>(size));
}

Result<std::string> PrepareUnicodeDomain(std::string_view domain) {
  GATEHOUSE_TRY(std::string unicode, ConvertDomain(uidna_nameToUnicodeUTF8, domain));
  GATEHOUSE_TRY(const std::string ascii, ConvertDomain(uidna_nameToASCII_UTF8, domain));
  if (ascii.size() > kMaxAsciiDomainBytes || ascii.ends_with('.'))
    return BadPeer("address: not a domain name");
  if (!IsNameOfHost(ascii) || !IsIdnaText(unicode))
    return BadPeer("address: not a domain name IDNA2008 allows");
  return unicode;
}

// PVALID in ASCII, less what RFC 7622 §3.3.1 takes away.
bool IsLocalCharacter(char c) {
  constexpr std::string_view kForbidden = "\"&'/:<>@";
  return c > 0x20 && c < 0x7F && kForbidden.find(c) == std::string_view::npos;
}

}  // namespace

Result<std::string> PrepareDomain(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxJidPartBytes)
    return BadPeer("address: domain of no or too many octets");
  if (IsAscii(text)) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), Lower);
    if (IsPlainDomain(lower)) return lower;
  }
  return PrepareUnicodeDomain(text);
}

Result<std::string> DomainToAscii(std::string_view prepared) {
  if (IsAscii(prepared)) return std::string(prepared);
  return ConvertDomain(uidna_nameToASCII_UTF8, prepared);
}

Result<std::string> PrepareLocalpart(std::string_view text) {
  if (text.empty() || text.size() > kMaxJidPartBytes)
    return BadPeer("address: localpart of no or too many octets");
  std::string prepared(text);
  if (IsAscii(text)) {
    std::ranges::transform(prepared, prepared.begin(), Lower);
  } else {
    GATEHOUSE_TRY(prepared, PrecisUsernameCaseMapped(text));
  }
  const bool allowed = std::ranges::all_of(prepared, [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || IsLocalCharacter(c);
  });
  if (!allowed) return BadPeer("address: character not allowed in a localpart");
  if (prepared.size() > kMaxJidPartBytes) return BadPeer("address: localpart of too many octets");
  return prepared;
}

Result<std::string> PrepareResourcepart(std::string_view text) {
  if (text.empty() || text.size() > kMaxJidPartBytes)
    return BadPeer("address: resourcepart of no or too many octets");
  if (IsPlainResource(text)) return std::string(text);
  GATEHOUSE_TRY(std::string prepared, PrecisOpaqueString(text));
  if (prepared.size() > kMaxJidPartBytes)
    return BadPeer("address: resourcepart of too many octets");
  return prepared;
}

Result<Jid> Jid::Parse(std::string_view text) {
  Jid jid;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    GATEHOUSE_TRY(jid.resource, PrepareResourcepart(text.substr(slash + 1)));
    text = text.substr(0, slash);
  }
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    GATEHOUSE_TRY(jid.local, PrepareLocalpart(text.substr(0, at)));
    text = text.substr(at + 1);
  }
  GATEHOUSE_TRY(jid.domain, PrepareDomain(text));
  return jid;
}

Result<std::string_view> DomainOfJid(std::string_view text, std::string& scratch) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view resource = text.substr(std::min(slash + 1, text.size()));
  const std::string_view bare = text.substr(0, slash);
  const std::size_t at = bare.find('@');
  const std::string_view local = at == std::string_view::npos ? "-" : bare.substr(0, at);
  const std::string_view domain = at == std::string_view::npos ? bare : bare.substr(at + 1);
  const bool whole = slash == text.size() || !resource.empty();
  if (whole && !local.empty() && local.size() <= kMaxJidPartBytes &&
      resource.size() <= kMaxJidPartBytes && std::ranges::all_of(local, IsLocalCharacter) &&
      IsPlainResource(resource) && IsPlainDomain(domain))
    return domain;
  GATEHOUSE_TRY(Jid jid, Jid::Parse(text));
  scratch = std::move(jid.domain);
  return std::string_view(scratch);
}

std::string Jid::Bare() const {
  return local.empty() ? domain : local + "@" + domain;
}

std::string Jid::ToText() const {
  return resource.empty() ? Bare() : Bare() + "/" + resource;
}

}  // namespace gatehouse
