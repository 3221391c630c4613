// How much work a passphrase is to cost, by what a file says.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatehouse {

inline constexpr std::uint64_t kMaxDerivationRounds = 10'000'000;  // about a second

// The rounds of all key derivations that can be seen in a PKCS #8 key or a PKCS #12 file, in DER or
// BER: PBES2 (RFC 8018 §6.2), the PBE and the MAC of RFC 7292. What is encrypted itself is not
// seen. Never more than a little above kMaxDerivationRounds.
[[nodiscard]] std::uint64_t DerivationRounds(std::string_view der);

}  // namespace gatehouse
