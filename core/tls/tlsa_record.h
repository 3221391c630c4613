// One TLSA record: what DNSSEC says of a server's certificate (RFC 6698 §2.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse {

// The values as they are in DNS; any octet may stand there.
struct TlsaRecord {
  static constexpr std::uint8_t kPkixTa = 0, kPkixEe = 1, kDaneTa = 2, kDaneEe = 3;
  static constexpr std::uint8_t kCertificate = 0, kPublicKey = 1;
  static constexpr std::uint8_t kFull = 0, kSha256 = 1, kSha512 = 2;

  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string data;  // raw octets
  bool operator==(const TlsaRecord&) const = default;
};

// "3 1 1 0b9fa5a5…": as a zone file has it, the data cut after 8 octets.
[[nodiscard]] std::string TlsaText(const TlsaRecord& record);

// What is left of `records` after those that say nothing to us: unknown numbers, digests of another
// length, whole certificates or keys that cannot be read (RFC 6698 §4.1), and of digests of one
// usage and selector all but those of the strongest algorithm (RFC 7671 §9). The order stays.
[[nodiscard]] std::vector<TlsaRecord> UsableTlsa(std::vector<TlsaRecord> records);

}  // namespace gatehouse
