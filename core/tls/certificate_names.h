// The names a certificate presents.
#pragma once

#include <openssl/x509.h>

#include "core/tls/tls_session.h"

namespace gatehouse {

// Fills the name lists of `peer`. Leaves out identifiers with NUL, and IA5 strings with other
// octets (2.5). False where subjectAltName is there but empty or unreadable.
[[nodiscard]] bool ReadNames(X509* leaf, PeerCertificate& peer);

}  // namespace gatehouse
