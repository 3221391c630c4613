// Lines of a zone file, as they can be pasted into one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/loop/dns_record.h"

namespace gatehouse::dnscheck {

inline constexpr std::uint16_t kXmppPort = 5269;  // of the fallback (3.1 no. 4)

// Whether `name` is `domain` or a name in it.
[[nodiscard]] bool IsBelow(std::string_view name, std::string_view domain);
// "_xmpp-server._tcp.corp.example. 3600 IN SRV 0 0 5269 edge.corp.example."
[[nodiscard]] std::string SrvLine(std::string_view service, std::uint16_t port,
                                  std::string_view target);
// "edge.corp.example. 3600 IN A 192.0.2.10", or AAAA.
[[nodiscard]] std::string AddressLine(std::string_view host, const SocketAddress& address);
// "10.2.0.192.in-addr.arpa. 3600 IN PTR edge.corp.example."
[[nodiscard]] std::string ReverseLine(const SocketAddress& address, std::string_view host);
// "_5269._tcp.edge.corp.example. 3600 IN TLSA 3 1 1 0b9f…"
[[nodiscard]] std::string TlsaLine(std::string_view host, std::uint16_t port,
                                   const TlsaRecord& record);
// "corp.example. 3600 IN CAA 0 issue "ca.example""
[[nodiscard]] std::string CaaLine(std::string_view domain, std::string_view issuer);

}  // namespace gatehouse::dnscheck
