// Judges a peer's chain by 2.5 and notes the names of its leaf.
#pragma once

#include <openssl/x509.h>

#include <string>

#include "core/tls/revocation_lists.h"
#include "core/tls/tls_session.h"

namespace gatehouse {

// Whose certificates are judged: SIP has a key purpose of its own (RFC 5924; 11.8).
enum class CertificateUse { kXmpp, kSip };

struct CertificateRules {
  CertificateUse use = CertificateUse::kXmpp;
  const RevocationLists* revoked = nullptr;  // null: none
};

// Runs the chain verification that `store` was prepared for. Everything found is in the result.
[[nodiscard]] PeerCertificate JudgeCertificate(X509_STORE_CTX* store,
                                               const CertificateRules& rules);
// SHA-256 of it in DER, in lower-case hex.
[[nodiscard]] std::string DigestOf(X509* certificate);
// SHA-256 over the certificates the peer sent, in their order; 32 octets, not hex.
[[nodiscard]] std::string DigestOfSent(X509_STORE_CTX* store);
// The same as JudgeCertificate for a chain as the peer sent it, leaf first, against the anchors of
// `store`.
[[nodiscard]] PeerCertificate JudgeChain(STACK_OF(X509) * chain, X509_STORE* store,
                                         const CertificateRules& rules);

}  // namespace gatehouse
