// The names a certificate presents.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/tls/tls_session.h"

namespace gatehouse {

// More names than public authorities put into one certificate.
inline constexpr std::size_t kMaxAlternativeNames = 1000;

// Fills the name lists and the issuer of `peer`. Leaves out identifiers with NUL, and IA5 strings
// with other octets (2.5). Gives what is wrong with subjectAltName where it is there but empty,
// unreadable or has more than kMaxAlternativeNames; then there are no names. Empty: nothing is
// wrong.
[[nodiscard]] std::string_view ReadNames(X509* leaf, PeerCertificate& peer);

// Whom a subject or an issuer names, or their organisation: for the operator, in printable ASCII.
[[nodiscard]] std::string ShownName(X509_NAME* name);

}  // namespace gatehouse
