// What c-ares answered, as the records of dns_lookup.h. Pure but for a line of log.
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
  bool secure = false;  // of `packet`: its AD bit, where that is trusted
};

// `packet` as the answer to ares_send, which gives any response as a success: its RCODE becomes the
// status it is to ares_query, its AD bit `secure`.
[[nodiscard]] DnsReply ReplyOf(int ares_status, std::span<const unsigned char> packet);

[[nodiscard]] DnsStatus DnsStatusOf(int ares_status);
[[nodiscard]] DnsAnswer<SrvRecord> SrvAnswer(const DnsReply& reply);
[[nodiscard]] DnsAnswer<NaptrRecord> NaptrAnswer(const DnsReply& reply);
[[nodiscard]] DnsAnswer<TlsaRecord> TlsaAnswer(const DnsReply& reply);
[[nodiscard]] DnsAnswer<std::string> TxtAnswer(const DnsReply& reply);
// Of a packet those of `family`, AF_INET or AF_INET6; of `addresses` those of both. An alias is
// logged (3.2).
[[nodiscard]] DnsAnswer<SocketAddress> AddressAnswer(const DnsReply& reply, int family,
                                                     std::uint16_t port);

}  // namespace gatehouse
