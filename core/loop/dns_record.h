// The records of a DNS answer of any type, as whoever checks a zone wants them. Pure; any octets
// may come.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/dns_lookup.h"

namespace gatehouse {

enum DnsType : std::uint16_t {
  kDnsA = 1,
  kDnsCname = 5,
  kDnsPtr = 12,
  kDnsTxt = 16,
  kDnsAaaa = 28,
  kDnsSrv = 33,
  kDnsRrsig = 46,
  kDnsTlsa = 52,
  kDnsCaa = 257,
};
// "SRV"; "TYPE65" where nobody here knows it (RFC 3597 §5).
[[nodiscard]] std::string DnsTypeWord(std::uint16_t type);

inline constexpr std::size_t kMaxDnsRecords = 200;  // of one answer; more are no zone to be judged

struct DnsRecord {
  std::string owner;  // lower case, no trailing dot; "" for the root
  std::uint16_t type = 0;
  std::string name;  // whom a CNAME, PTR or SRV record names; like `owner`
  std::string data;  // as it is in the message
  bool operator==(const DnsRecord&) const = default;
};

struct CaaRecord {
  std::uint8_t flags = 0;
  std::string tag;  // lower case
  std::string value;
};

// The answer section, aliases and signatures included.
//   fails  nullopt: the octets end early, a name is malformed or points forwards, or there are too
//   many records
[[nodiscard]] std::optional<std::vector<DnsRecord>> ReadDnsRecords(
    std::span<const unsigned char> message);

// nullopt: of another type, or its data is too short.
[[nodiscard]] std::optional<SrvRecord> SrvOf(const DnsRecord& record);
[[nodiscard]] std::optional<SocketAddress> AddressOf(const DnsRecord& record);  // port 0
[[nodiscard]] std::optional<CaaRecord> CaaOf(const DnsRecord& record);          // RFC 8659 §4.1
[[nodiscard]] std::optional<TlsaRecord> TlsaOf(const DnsRecord& record);
[[nodiscard]] std::optional<std::string> TextOf(const DnsRecord& record);  // RFC 1035 §3.3.14

// As a zone file has what stands behind the type: "0 0 5269 edge.corp.example.".
[[nodiscard]] std::string DnsDataText(const DnsRecord& record);

// Where the name of an address stands: "10.2.0.192.in-addr.arpa", "….ip6.arpa".
[[nodiscard]] std::string ReverseName(const SocketAddress& address);

}  // namespace gatehouse
