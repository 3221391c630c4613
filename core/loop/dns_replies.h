// What c-ares answered, as the records of dns_lookup.h. Pure.
#pragma once

#include <ares.h>

#include <cstdint>
#include <span>

#include "core/loop/dns_lookup.h"

namespace gatehouse {

// One answer of c-ares; only one of `packet` and `addresses` is filled, and only where `status` is
// ARES_SUCCESS.
struct DnsReply {
  int status = ARES_ETIMEOUT;
  std::span<const unsigned char> packet;
  const ares_addrinfo* addresses = nullptr;
};

[[nodiscard]] DnsStatus DnsStatusOf(int ares_status);
[[nodiscard]] DnsAnswer<SrvRecord> SrvAnswer(const DnsReply& reply);
[[nodiscard]] DnsAnswer<NaptrRecord> NaptrAnswer(const DnsReply& reply);
[[nodiscard]] DnsAnswer<SocketAddress> AddressAnswer(const DnsReply& reply, std::uint16_t port);

}  // namespace gatehouse
