// Texts and BoringSSL's objects. For the sources of this folder only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

using KeyObject = bssl::UniquePtr<EVP_PKEY>;
using CertificateObject = bssl::UniquePtr<X509>;
using RequestObject = bssl::UniquePtr<X509_REQ>;

// Each fails with kConfig and a sentence.
Result<KeyObject> ReadKey(const std::string& pem);
Result<RequestObject> ReadRequest(const std::string& pem);  // its signature is verified
Result<std::vector<CertificateObject>> ReadCertificates(const std::string& pem);  // one at least

// Null when it is no certificate, or something is behind it.
[[nodiscard]] CertificateObject ParseCertificate(std::string_view der);

[[nodiscard]] std::string PemOf(X509* certificate);
[[nodiscard]] std::string PemOf(X509_REQ* request);
[[nodiscard]] std::string PemOf(EVP_PKEY* key);  // PKCS #8
[[nodiscard]] std::string DerOf(X509* certificate);

[[nodiscard]] std::string KeyHashOf(EVP_PKEY* key);
// What a signature with this key is made with; null: the key's own (Ed25519).
[[nodiscard]] const EVP_MD* DigestFor(const EVP_PKEY* key);

[[nodiscard]] std::string NameText(const X509_NAME* name);  // "CN=corp.example,O=Corp"
[[nodiscard]] std::int64_t UnixTimeOf(const ASN1_TIME* time);
// "<what> cannot be made (REASON)".
std::unexpected<Error> CannotMake(const char* what);

}  // namespace gatehouse
