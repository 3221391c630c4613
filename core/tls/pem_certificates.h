// The certificates in a PEM text, as BoringSSL's objects.
#pragma once

#include <openssl/x509.h>

#include <string_view>
#include <vector>

namespace gatehouse {

struct PemCertificates {
  std::vector<bssl::UniquePtr<X509>> all;  // in their order
  bool whole = false;                      // false: behind them stands one that cannot be read
};

// What is no certificate in PEM, such as words between them, is passed over. BoringSSL's list of
// errors is empty afterwards.
[[nodiscard]] PemCertificates ReadPemCertificates(std::string_view pem);

}  // namespace gatehouse
