#include "core/tls/certificate_names.h"

#include <openssl/asn1.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/utf8_check.h"

namespace gatehouse {
namespace {

constexpr std::string_view kSrvName = "1.3.6.1.5.5.7.8.7";  // RFC 4985
constexpr std::size_t kMaxNameBytes = 1023;                 // of a domainpart, RFC 7622 §3.2
constexpr std::size_t kMaxIssuerBytes = 128;
constexpr std::string_view kXmppAddr = "1.3.6.1.5.5.7.8.5";  // RFC 6120 §13.7.1.4

std::string_view Octets(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

bool IsPlainAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

void AddIa5(std::vector<std::string>& names, std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameBytes && IsPlainAscii(name)) names.emplace_back(name);
}

void AddOtherName(const OTHERNAME& name, PeerCertificate& peer) {
  std::array<char, 80> oid{};
  OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()), name.type_id, 1);
  const std::string_view type = oid.data();
  const ASN1_TYPE& value = *name.value;
  if (type == kSrvName && value.type == V_ASN1_IA5STRING)
    AddIa5(peer.srv_names, Octets(value.value.ia5string));
  if (type != kXmppAddr || value.type != V_ASN1_UTF8STRING) return;
  const std::string_view address = Octets(value.value.utf8string);
  if (!address.empty() && address.size() <= kMaxNameBytes && IsUtf8(address) &&
      address.find('\0') == std::string_view::npos)
    peer.xmpp_addrs.emplace_back(address);
}

void AddName(const GENERAL_NAME& name, PeerCertificate& peer) {
  switch (name.type) {
    case GEN_DNS:
      return AddIa5(peer.dns_names, Octets(name.d.dNSName));
    case GEN_URI:
      return AddIa5(peer.uris, Octets(name.d.uniformResourceIdentifier));
    case GEN_OTHERNAME:
      return AddOtherName(*name.d.otherName, peer);
    default:
      return;  // addresses and directory names prove no domain
  }
}

// The last, which is the most specific one. RFC 6125 §2.3
std::string_view LastOf(X509_NAME* name, int kind) {
  int last = -1;
  for (int at = X509_NAME_get_index_by_NID(name, kind, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(name, kind, at))
    last = at;
  if (last < 0) return {};
  return Octets(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
}

std::string CommonName(X509* leaf) {
  const std::string_view name = LastOf(X509_get_subject_name(leaf), NID_commonName);
  return IsPlainAscii(name) ? std::string(name) : std::string();
}

}  // namespace

std::string_view ReadNames(X509* leaf, PeerCertificate& peer) {
  peer.issuer = ShownName(X509_get_issuer_name(leaf));
  int state = -1;
  const bssl::UniquePtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, &state, nullptr)));
  if (!names) {
    const bool absent = state == -1;  // -2: twice; 0 or more: cannot be read
    if (absent) peer.common_name = CommonName(leaf);
    return absent ? "" : "subjectAltName cannot be read";
  }
  const std::size_t count = sk_GENERAL_NAME_num(names.get());
  if (count == 0) return "subjectAltName is empty";
  if (count > kMaxAlternativeNames) return "subjectAltName has too many names";
  for (const GENERAL_NAME* name : names.get()) AddName(*name, peer);
  return {};
}

// To be read, not compared: a mark stands for what is no plain text.
std::string ShownName(X509_NAME* name) {
  std::string shown(LastOf(name, NID_commonName));
  if (shown.empty()) shown = LastOf(name, NID_organizationName);
  if (shown.size() > kMaxIssuerBytes) shown.resize(kMaxIssuerBytes);
  std::ranges::replace_if(shown, [](char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return shown;
}

}  // namespace gatehouse
