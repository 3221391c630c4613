// Judges a chain by TLSA records.
#pragma once

#include <openssl/x509.h>

#include "core/tls/certificate_verdict.h"
#include "core/tls/dane_verdict.h"

namespace gatehouse {

// `chain` as the peer sent it, leaf first, at least one; `anchors` for the PKIX usages. By usage:
//   DANE-EE(3)  certificate or key is the record's: nothing else counts, names and times included
//   DANE-TA(2)  chains to a certificate of the record's, sent by the peer or whole in the record,
//               by the rules of 2.5, and names domain or target
//   PKIX-EE(1)  as DANE-EE, and chains to `anchors` by the rules of 2.5, and names domain or target
//   PKIX-TA(0)  chains to `anchors` over an authority of the record's, and names domain or target
// A DANE-TA record with a bare key matches where the peer sends the certificate of that key only.
[[nodiscard]] DaneVerdict JudgeByTlsa(STACK_OF(X509) * chain, X509_STORE* anchors,
                                      const DaneQuestion& question, const CertificateRules& rules);

}  // namespace gatehouse
