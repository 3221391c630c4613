// Our own certificate chain, as TLSA records speak of it.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/tls/dane_verdict.h"

namespace gatehouse {

// "3 1 1": the digest of the leaf's public key, which outlives a renewal with the same key (RFC
// 7671 §5.1). `chain_pem`: leaf first.
//   fails  kConfig: no certificate, or one that cannot be read
Result<TlsaRecord> TlsaOfOwnChain(std::string_view chain_pem);

// What a partner that goes by the records finds of this chain. PKIX usages count as their DANE
// ones: whom the partner trusts nobody here knows. `question.anchors_pem` is not looked at.
//   fails  as TlsaOfOwnChain
Result<DaneVerdict> JudgeOwnChain(std::string_view chain_pem, const DaneQuestion& question);

}  // namespace gatehouse
