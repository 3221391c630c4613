#include "core/certificate/certificate_request.h"

#include <openssl/asn1.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "core/base/utf8_check.h"
#include "core/certificate/boring_objects.h"
#include "core/tls/certificate_names.h"

namespace gatehouse {
namespace {

constexpr const char* kSrvName = "1.3.6.1.5.5.7.8.7";  // RFC 4985
constexpr std::string_view kSrvPrefix = "_xmpp-server.";
constexpr std::size_t kMaxDnsNameBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;

using Extensions = bssl::UniquePtr<STACK_OF(X509_EXTENSION)>;
using AlternativeNames = bssl::UniquePtr<GENERAL_NAMES>;

struct SubjectField {
  int kind;
  std::string_view word;
  std::size_t max_characters;  // X.520
  std::string RequestDetails::* value;
};
constexpr std::array kSubjectFields = {
    SubjectField{NID_countryName, "country", 2, &RequestDetails::country},
    SubjectField{NID_stateOrProvinceName, "state", 128, &RequestDetails::state},
    SubjectField{NID_localityName, "locality", 128, &RequestDetails::locality},
    SubjectField{NID_organizationName, "organization", 64, &RequestDetails::organization},
    SubjectField{NID_organizationalUnitName, "organizational unit", 64,
                 &RequestDetails::organizational_unit},
    SubjectField{NID_commonName, "common name", 64, &RequestDetails::common_name},
};

std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<void> CheckField(const SubjectField& field, const std::string& value) {
  const std::string named = std::string(field.word) + " '" + value + "'";
  if (field.kind == NID_countryName && (value.size() != 2 || !std::ranges::all_of(value, IsLetter)))
    return BadConfig(named + " is no country code; write two letters such as DE");
  if (!IsUtf8(value) || std::ranges::any_of(value, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      }))
    return BadConfig(std::string(field.word) + " has control characters, or is not in UTF-8");
  if (Characters(value) > field.max_characters)
    return BadConfig(named + " is longer than the " + std::to_string(field.max_characters) +
                     " characters a certificate takes; shorten it");
  return {};
}

Result<void> SetSubject(const RequestDetails& details, X509_REQ* request) {
  X509_NAME* subject = X509_REQ_get_subject_name(request);
  for (const SubjectField& field : kSubjectFields) {
    std::string value = details.*field.value;
    if (value.empty()) continue;
    GATEHOUSE_TRY_VOID(CheckField(field, value));
    if (field.kind == NID_countryName)
      std::ranges::transform(value, value.begin(), [](char c) {
        return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
      });
    if (X509_NAME_add_entry_by_NID(subject, field.kind, MBSTRING_UTF8,
                                   reinterpret_cast<const std::uint8_t*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) != 1)
      return CannotMake("the subject");
  }
  return {};
}

bssl::UniquePtr<ASN1_IA5STRING> Ia5(const std::string& text) {
  bssl::UniquePtr<ASN1_IA5STRING> string(ASN1_IA5STRING_new());
  if (string && ASN1_STRING_set(string.get(), text.data(), static_cast<int>(text.size())) != 1)
    string.reset();
  return string;
}

bool AddName(GENERAL_NAMES* names, bssl::UniquePtr<GENERAL_NAME> name) {
  return name && sk_GENERAL_NAME_push(names, name.get()) != 0 && name.release() != nullptr;
}

bool AddDnsName(GENERAL_NAMES* names, const std::string& text) {
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  auto string = Ia5(text);
  if (!name || !string) return false;
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, string.release());
  return AddName(names, std::move(name));
}

bool AddSrvName(GENERAL_NAMES* names, const std::string& text) {
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  bssl::UniquePtr<ASN1_TYPE> value(ASN1_TYPE_new());
  bssl::UniquePtr<ASN1_OBJECT> type(OBJ_txt2obj(kSrvName, 1));
  auto string = Ia5(text);
  if (!name || !value || !type || !string) return false;
  ASN1_TYPE_set(value.get(), V_ASN1_IA5STRING, string.release());
  if (GENERAL_NAME_set0_othername(name.get(), type.get(), value.get()) != 1) return false;
  static_cast<void>(type.release());
  static_cast<void>(value.release());
  return AddName(names, std::move(name));
}

Result<AlternativeNames> NamesOf(const RequestDetails& details) {
  if (details.dns_names.empty() && details.srv_names.empty())
    return BadConfig("a certificate needs a name");
  if (details.dns_names.size() + details.srv_names.size() > kMaxAlternativeNames)
    return BadConfig("a certificate can have " + std::to_string(kMaxAlternativeNames) +
                     " names at most; make several");
  AlternativeNames names(sk_GENERAL_NAME_new_null());
  for (const std::string& name : details.dns_names) {
    if (!IsDnsName(name))
      return BadConfig("'" + name +
                       "' is no name for a certificate; write a DNS name such as corp.example");
    if (!AddDnsName(names.get(), name)) return CannotMake("a name");
  }
  for (const std::string& name : details.srv_names) {
    if (!name.starts_with(kSrvPrefix) ||
        !IsDnsName(std::string_view(name).substr(kSrvPrefix.size())) ||
        name.find('*') != std::string::npos)
      return BadConfig("'" + name + "' is no SRV-ID; write one such as _xmpp-server.corp.example");
    if (!AddSrvName(names.get(), name)) return CannotMake("a name");
  }
  return names;
}

bool AddText(Extensions& extensions, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, nullptr, nullptr, nullptr, 0);
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, kind, value.c_str()));
  return extension && sk_X509_EXTENSION_push(extensions.get(), extension.get()) != 0 &&
         extension.release() != nullptr;
}

// What is asked for besides the subject.
Result<Extensions> ExtensionsOf(const RequestDetails& details, const EVP_PKEY* key) {
  GATEHOUSE_TRY(const AlternativeNames names, NamesOf(details));
  Extensions extensions(sk_X509_EXTENSION_new_null());
  const bool rsa = EVP_PKEY_id(key) == EVP_PKEY_RSA;
  bssl::UniquePtr<X509_EXTENSION> own(X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get()));
  const bool made =
      extensions && own && sk_X509_EXTENSION_push(extensions.get(), own.get()) != 0 &&
      own.release() != nullptr &&
      AddText(extensions, NID_key_usage,
              rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature") &&
      AddText(extensions, NID_ext_key_usage, "serverAuth,clientAuth");
  if (!made) return CannotMake("the names of the request");
  return extensions;
}

bool IsDnsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

}  // namespace

bool IsDnsName(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > kMaxDnsNameBytes) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!IsDnsLabel(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos)  // the last of an address is a number
      return !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    name.remove_prefix(dot + 1);
  }
}

Result<std::string> MakeCertificateRequest(const RequestDetails& details,
                                           const std::string& key_pem) {
  GATEHOUSE_TRY(const KeyObject key, ReadKey(key_pem));
  const RequestObject request(X509_REQ_new());
  if (!request) return CannotMake("a certificate request");
  GATEHOUSE_TRY_VOID(SetSubject(details, request.get()));
  GATEHOUSE_TRY(const Extensions extensions, ExtensionsOf(details, key.get()));
  const bool made = X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                    X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
                    X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
                    X509_REQ_sign(request.get(), key.get(), DigestFor(key.get())) > 0;
  if (!made) return CannotMake("a certificate request");
  return PemOf(request.get());
}

Result<std::string> RequestPublicKeyHash(const std::string& request_pem) {
  GATEHOUSE_TRY(const RequestObject request, ReadRequest(request_pem));
  const KeyObject key(X509_REQ_get_pubkey(request.get()));
  return KeyHashOf(key.get());
}

}  // namespace gatehouse
