// Which keys, signatures and purposes a certificate may have (2.5), for a peer's and for our own.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>

namespace gatehouse {

// "rsa-2048", "p-256", "ed25519"; "unknown".
[[nodiscard]] std::string KeyTypeWord(const EVP_PKEY* key);
// Of "rsa-2048"; 0: no RSA key.
[[nodiscard]] int RsaBits(std::string_view key_type);
// RSA of 2048 bits or more, P-256, P-384, Ed25519.
[[nodiscard]] bool IsStrongKey(std::string_view key_type);
// Neither SHA-1 nor MD5 nor anything unknown.
[[nodiscard]] bool IsStrongSignature(const X509* certificate);

// Of the extended key usage.
struct KeyPurposes {
  bool are_given = false;  // without them it is good for everything
  bool server = false;
  bool client = false;
  bool any = false;
  bool sip_domain = false;  // RFC 5924 §4
};
[[nodiscard]] KeyPurposes PurposesOf(const X509* certificate);

}  // namespace gatehouse
