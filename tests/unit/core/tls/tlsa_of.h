// TLSA records of certificates in PEM files.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <string>

#include "core/tls/tlsa_record.h"
#include "tests/fakes/certificate_maker.h"

namespace gatehouse {

inline std::string DerOf(X509* certificate, std::uint8_t selector) {
  std::uint8_t* der = nullptr;
  const int size = selector == TlsaRecord::kCertificate
                       ? i2d_X509(certificate, &der)
                       : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  EXPECT_GT(size, 0);
  const bssl::UniquePtr<std::uint8_t> owned(der);
  return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
}

// Of the certificate at `index` in `pem_file`.
inline TlsaRecord TlsaOf(const std::string& pem_file, std::uint8_t usage, std::uint8_t selector,
                         std::uint8_t matching, int index = 0) {
  const bssl::UniquePtr<BIO> file(BIO_new_file(pem_file.c_str(), "r"));
  bssl::UniquePtr<X509> certificate;
  for (; index >= 0; --index)
    certificate.reset(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  EXPECT_TRUE(certificate) << pem_file;
  const std::string der = DerOf(certificate.get(), selector);
  const auto* octets = reinterpret_cast<const std::uint8_t*>(der.data());
  std::string digest(matching == TlsaRecord::kSha256 ? SHA256_DIGEST_LENGTH : SHA512_DIGEST_LENGTH,
                     '\0');
  auto* out = reinterpret_cast<std::uint8_t*>(digest.data());
  if (matching == TlsaRecord::kSha256) SHA256(octets, der.size(), out);
  if (matching == TlsaRecord::kSha512) SHA512(octets, der.size(), out);
  return {usage, selector, matching, matching == TlsaRecord::kFull ? der : digest};
}

}  // namespace gatehouse
