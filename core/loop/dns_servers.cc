#include "core/loop/dns_servers.h"

#include <fmt/format.h>

#include "core/loop/socket_address.h"

namespace gatehouse {
namespace {

constexpr std::uint16_t kDnsPort = 53;

Result<SocketAddress> ParseServer(std::string_view text) {
  if (auto bare = SocketAddress::FromIp(text, kDnsPort)) return bare;
  GATEHOUSE_TRY(const SocketAddress address, SocketAddress::Parse(text));
  if (address.Port() == 0)
    return BadConfig(fmt::format("'{}' has port 0, where no name server can be", text));
  return address;
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

Result<void> CheckServersAreLocal(std::span<const std::string> servers) {
  if (servers.empty())
    return BadConfig(
        "is trust-ad, but dns.servers is empty; would be right: a validating resolver on loopback, "
        "such as \"127.0.0.1\"");
  for (const std::string& server : servers) {
    GATEHOUSE_TRY(const SocketAddress address, ParseServer(server));
    if (!address.IsLoopback())
      return BadConfig("is trust-ad, but '" + server +
                       "' is not on loopback, and whoever stands between could claim what he "
                       "likes; would be right: validating resolvers on this machine only");
  }
  return {};
}

}  // namespace gatehouse
