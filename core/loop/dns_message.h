// The octets of a DNS answer, as far as c-ares does not read them. Pure; any octets may come.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/tls/tlsa_record.h"

namespace gatehouse {

inline constexpr std::uint16_t kTlsaType = 52;       // RFC 6698 §7.1
inline constexpr std::size_t kMaxTlsaRecords = 100;  // of one answer; more say nothing

// RFC 1035 §4.1.1
struct DnsHeader {
  std::uint8_t code = 0;   // RCODE
  bool truncated = false;  // TC: what is missing nobody knows
  bool authentic = false;  // AD: the resolver has validated all of the answer (RFC 4035 §3.2.3)
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
};

// nullopt: too short, or no response.
[[nodiscard]] std::optional<DnsHeader> ReadDnsHeader(std::span<const unsigned char> message);

// Says with AD that an answer may say so too (RFC 6840 §5.7). `query`: a whole message.
void AskForAuthentic(std::span<unsigned char> query);

// The TLSA records of the answer section, whoever owns them: aliases were followed by the resolver.
// One too short to be any is given with numbers nobody knows.
//   fails   nullopt: the octets end early, a name is malformed, or there are too many
//   source  RFC 1035 §4.1.3, §4.1.4; RFC 6698 §2.1
[[nodiscard]] std::optional<std::vector<TlsaRecord>> ReadTlsa(
    std::span<const unsigned char> message);

}  // namespace gatehouse
