#include "core/certificate/issuing.h"

#include <openssl/bn.h>
#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/certificate/boring_objects.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::int64_t kIssuedDay = 86400;
constexpr std::int64_t kBackDated = 3600;  // the clocks of others may be behind ours
constexpr std::size_t kSerialBytes = 16;   // random: nobody keeps count
// What is taken over from a request.
constexpr std::array kTaken = {NID_subject_alt_name, NID_key_usage, NID_ext_key_usage};

using AskedExtensions = bssl::UniquePtr<STACK_OF(X509_EXTENSION)>;

bool SetSerial(X509* certificate) {
  std::string bytes = RandomBytes(kSerialBytes);
  bytes.front() = static_cast<char>((static_cast<unsigned char>(bytes.front()) & 0x7fU) | 0x40U);
  const bssl::UniquePtr<BIGNUM> number(
      BN_bin2bn(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, std::int64_t begin, std::int64_t end) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), begin) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr;
}

bool AddIssuedText(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool TakeExtensions(X509_REQ* request, X509* certificate) {
  const AskedExtensions asked(X509_REQ_get_extensions(request));
  if (!asked) return true;
  for (X509_EXTENSION* extension : asked.get()) {
    const int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (std::ranges::find(kTaken, kind) != kTaken.end() &&
        X509_add_ext(certificate, extension, -1) != 1)
      return false;
  }
  return true;
}

struct Issuer {
  X509* certificate;  // null: the certificate's own
  EVP_PKEY* key;
  std::int64_t end;
};

Result<std::string> Issue(X509_REQ* request, const Issuer& by, int days) {
  const CertificateObject certificate(X509_new());
  const KeyObject key(X509_REQ_get_pubkey(request));
  if (!certificate || !key) return CannotMake("a certificate");
  X509* const made = certificate.get();
  X509* const issuer = by.certificate == nullptr ? made : by.certificate;
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const bool done = X509_set_version(made, X509_VERSION_3) == 1 && SetSerial(made) &&
                    SetTimes(made, now - kBackDated, std::min(now + days * kIssuedDay, by.end)) &&
                    X509_set_subject_name(made, X509_REQ_get_subject_name(request)) == 1 &&
                    X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1 &&
                    X509_set_pubkey(made, key.get()) == 1 && TakeExtensions(request, made) &&
                    AddIssuedText(made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                    AddIssuedText(made, issuer, NID_subject_key_identifier, "hash") &&
                    (by.certificate == nullptr ||
                     AddIssuedText(made, issuer, NID_authority_key_identifier, "keyid")) &&
                    X509_sign(made, by.key, DigestFor(by.key)) > 0;
  if (!done) return CannotMake("a certificate");
  return PemOf(made);
}

// The key usage of a certificate that has none allows everything.
Result<void> CheckAuthority(X509* ca, EVP_PKEY* key) {
  const std::string name = "the CA '" + NameText(X509_get_subject_name(ca)) + "'";
  if (X509_check_private_key(ca, key) != 1)
    return BadConfig("the key of " + name + " is another's; give --ca CERT,KEY of the same CA");
  if (X509_check_ca(ca) != 1 || (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) == 0)
    return BadConfig(name +
                     " is no CA and may not issue certificates; give the certificate of one");
  if (UnixTimeOf(X509_get0_notAfter(ca)) <= static_cast<std::int64_t>(std::time(nullptr)))
    return BadConfig(name + " has expired; give one that is valid");
  return {};
}

}  // namespace

Result<std::string> SelfSign(const std::string& request_pem, const std::string& key_pem, int days) {
  GATEHOUSE_TRY(const RequestObject request, ReadRequest(request_pem));
  GATEHOUSE_TRY(const KeyObject key, ReadKey(key_pem));
  const KeyObject asked_for(X509_REQ_get_pubkey(request.get()));
  if (EVP_PKEY_cmp(asked_for.get(), key.get()) != 1)
    return BadConfig("the request was made with another key");
  return Issue(request.get(), {nullptr, key.get(), INT64_MAX}, days);
}

Result<std::string> IssueBy(const std::string& ca_pem, const std::string& ca_key_pem,
                            const std::string& request_pem, int days) {
  GATEHOUSE_TRY(const RequestObject request, ReadRequest(request_pem));
  GATEHOUSE_TRY(const auto authorities, ReadCertificates(ca_pem));
  GATEHOUSE_TRY(const KeyObject key, ReadKey(ca_key_pem));
  X509* const ca = authorities.front().get();
  GATEHOUSE_TRY_VOID(CheckAuthority(ca, key.get()));
  GATEHOUSE_TRY(std::string chain,
                Issue(request.get(), {ca, key.get(), UnixTimeOf(X509_get0_notAfter(ca))}, days));
  for (const CertificateObject& authority : authorities) chain += PemOf(authority.get());
  return chain;
}

}  // namespace gatehouse
