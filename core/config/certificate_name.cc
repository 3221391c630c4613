#include "core/config/certificate_name.h"

#include <fmt/format.h>

#include "core/base/utf8_check.h"

namespace gatehouse {

std::string CertificateNameRefusal(std::string_view name) {
  return fmt::format(
      "'{}' is no name for a certificate; at most {} letters, digits, '.', '_' and '-' are "
      "possible",
      BeginningOf(name, kMaxCertificateNameBytes), kMaxCertificateNameBytes);
}

}  // namespace gatehouse
