#include "core/dnscheck/finding.h"

#include <algorithm>
#include <array>

namespace gatehouse::dnscheck {
namespace {

constexpr std::array<std::string_view, 5> kPrivate = {
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"};

}  // namespace

bool IsPublic(const SocketAddress& address) {
  if (address.IsForbiddenTarget()) return false;
  return std::ranges::none_of(kPrivate, [&address](std::string_view network) {
    const auto parsed = Network::Parse(network);
    return parsed && parsed->Contains(address);
  });
}

std::vector<SocketAddress> PublicAddresses(const OurSide& ours) {
  std::vector<SocketAddress> addresses;
  for (const auto* listening : {&ours.xmpp, &ours.xmpps})
    for (const SocketAddress& address : *listening) {
      const auto same = [&address](const SocketAddress& known) {
        return known.Ip() == address.Ip();
      };
      if (IsPublic(address) && std::ranges::none_of(addresses, same)) addresses.push_back(address);
    }
  return addresses;
}

}  // namespace gatehouse::dnscheck
