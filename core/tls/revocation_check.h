// Certificates that were verified, looked up in revocation lists.
#pragma once

#include <openssl/x509.h>

#include "core/tls/revocation_lists.h"

namespace gatehouse {

// Whether a list that the next one of the chain has signed names a certificate of it. `chain`:
// verified, leaf first. An issuer without a list revokes nothing; a list that is out of date still
// revokes what it names.
[[nodiscard]] bool IsRevoked(const RevocationLists& lists, STACK_OF(X509) * chain);
// Which lists no certificate in `trust` has signed.
[[nodiscard]] ListSigners SignersOf(const RevocationLists& lists, X509_STORE* trust);

}  // namespace gatehouse
