#include "core/tls/certificate_strength.h"

#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <array>
#include <charconv>

namespace gatehouse {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr std::string_view kRsa = "rsa-";
constexpr std::string_view kSipDomainPurpose = "1.3.6.1.5.5.7.3.20";  // RFC 5924 §4

std::string OidText(const ASN1_OBJECT* object) {
  std::array<char, 80> text{};
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  return text.data();
}

}  // namespace

std::string KeyTypeWord(const EVP_PKEY* key) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_RSA:
      return std::string(kRsa) + std::to_string(EVP_PKEY_bits(key));
    case EVP_PKEY_EC: {
      const EC_GROUP* group = EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key));
      return "p-" + std::to_string(EC_GROUP_get_degree(group));
    }
    case EVP_PKEY_ED25519:
      return "ed25519";
    default:
      return "unknown";
  }
}

int RsaBits(std::string_view key_type) {
  int bits = 0;
  if (key_type.starts_with(kRsa))
    std::from_chars(key_type.data() + kRsa.size(), key_type.data() + key_type.size(), bits);
  return bits;
}

bool IsStrongKey(std::string_view key_type) {
  return RsaBits(key_type) >= kMinRsaBits || key_type == "p-256" || key_type == "p-384" ||
         key_type == "ed25519";
}

bool IsStrongSignature(const X509* certificate) {
  const int algorithm = X509_get_signature_nid(certificate);
  if (algorithm == NID_ED25519 || algorithm == NID_rsassaPss) return true;
  int digest = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(algorithm, &digest, &key) != 1) return false;
  return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}

KeyPurposes PurposesOf(const X509* certificate) {
  KeyPurposes found;
  found.are_given = X509_get_ext_by_NID(certificate, NID_ext_key_usage, -1) >= 0;
  if (!found.are_given) return found;
  const bssl::UniquePtr<EXTENDED_KEY_USAGE> purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  if (!purposes) return found;
  for (const ASN1_OBJECT* purpose : purposes.get()) {
    const int nid = OBJ_obj2nid(purpose);
    found.server |= nid == NID_server_auth;
    found.client |= nid == NID_client_auth;
    found.any |= nid == NID_anyExtendedKeyUsage;
    found.sip_domain |= OidText(purpose) == kSipDomainPurpose;
  }
  return found;
}

}  // namespace gatehouse
