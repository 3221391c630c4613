// Files with certificates and keys, in the forms in which authorities and Windows hand them out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

inline constexpr std::size_t kMaxBundleBytes = 1024 * 1024;
inline constexpr std::size_t kMaxBundleCertificates = 64;

struct CertificateBundle {
  std::vector<std::string> certificates;  // DER, in the order of the file
  std::vector<std::string> keys;          // PEM, PKCS #8, without a passphrase
};

// Reads PEM (certificates, keys, PKCS #7, in any order, with text between them), or DER of a
// certificate, key, PKCS #12 or PKCS #7. `passphrase`: of PKCS #12 and encrypted keys; may be
// empty.
//   fails  kConfig, what is wrong and what would be right; without the file's name:
//          "is protected by a passphrase; give it"
Result<CertificateBundle> ReadCertificateBundle(std::string_view content,
                                                const std::string& passphrase);

}  // namespace gatehouse
