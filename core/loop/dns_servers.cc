#include "core/loop/dns_servers.h"

#include "core/loop/socket_address.h"

namespace gatehouse {
namespace {

constexpr std::uint16_t kDnsPort = 53;

Result<SocketAddress> ParseServer(std::string_view text) {
  if (auto bare = SocketAddress::FromIp(text, kDnsPort)) return bare;
  return SocketAddress::Parse(text);
}

}  // namespace

Result<std::string> DnsServerList(std::span<const std::string> servers) {
  std::string list;
  for (const std::string& server : servers) {
    const auto address = ParseServer(server);
    if (!address) return BadConfig("dns.servers: " + address.error().text);
    if (!list.empty()) list += ',';
    list += address->ToText();
  }
  return list;
}

}  // namespace gatehouse
