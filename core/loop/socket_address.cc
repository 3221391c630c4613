#include "core/loop/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>

namespace gatehouse {
namespace {

// The address part in network order: 4 octets, also for an IPv4-mapped IPv6 address, or 16.
std::span<const std::uint8_t> Octets(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return {reinterpret_cast<const std::uint8_t*>(&v4->sin_addr), 4};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  const std::span<const std::uint8_t> all(v6->sin6_addr.s6_addr, 16);
  return IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? all.subspan(12) : all;
}

template <class Number>
std::optional<Number> ParseNumber(std::string_view text, Number highest) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value > highest)
    return std::nullopt;
  return value;
}

std::unexpected<Error> NotAnAddress(std::string_view text) {
  return BadConfig("'" + std::string(text) +
                   "' is not an address such as 127.0.0.1:5269 or [::1]:5269");
}

}  // namespace

Result<SocketAddress> SocketAddress::FromIp(std::string_view ip, std::uint16_t port) {
  SocketAddress address;
  const std::string text(ip);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    address.storage.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    address.storage.ss_family = AF_INET6;
  } else {
    return BadConfig("'" + text + "' is not an IP address");
  }
  address.SetPort(port);
  return address;
}

Result<SocketAddress> SocketAddress::Parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return NotAnAddress(text);
  const auto port = ParseNumber<std::uint16_t>(text.substr(colon + 1), 65535);
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  if (!port || bracketed != (ip.find(':') != std::string_view::npos)) return NotAnAddress(text);
  auto address = FromIp(ip, *port);
  if (!address) return NotAnAddress(text);
  return address;
}

SocketAddress SocketAddress::From(const sockaddr* address) {
  SocketAddress copy;
  const std::size_t length =
      address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(&copy.storage, address, length);
  return copy;
}

std::string SocketAddress::Ip() const {
  const auto octets = Octets(*this);
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
  return text.data();
}

std::string SocketAddress::ToText() const {
  const std::string ip = Ip();
  const std::string port = std::to_string(Port());
  return Octets(*this).size() == 4 ? ip + ":" + port : "[" + ip + "]:" + port;
}

std::uint16_t SocketAddress::Port() const {
  // sin_port and sin6_port lie at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

void SocketAddress::SetPort(std::uint16_t port) {
  reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
}

bool SocketAddress::IsLoopback() const {
  const auto octets = Octets(*this);
  if (octets.size() == 4) return octets[0] == 127;
  return std::memcmp(octets.data(), &in6addr_loopback, 16) == 0;
}

bool SocketAddress::IsForbiddenTarget() const {
  if (IsLoopback()) return true;
  const auto octets = Octets(*this);
  if (octets.size() == 4) {
    const bool link_local = octets[0] == 169 && octets[1] == 254;
    return octets[0] == 0 || link_local || octets[0] >= 224;  // 224/4 multicast, 240/4 reserved
  }
  const bool unspecified = std::memcmp(octets.data(), &in6addr_any, 16) == 0;
  const bool link_local = octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
  return unspecified || link_local || octets[0] == 0xff;
}

socklen_t SocketAddress::size() const {
  return storage.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

Result<Network> Network::Parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = SocketAddress::FromIp(text.substr(0, slash), 0);
  if (!base) return BadConfig("'" + std::string(text) + "' is not a network such as 192.0.2.0/24");
  const int all_bits = base->storage.ss_family == AF_INET ? 32 : 128;
  Network network{*base, all_bits};
  if (slash != std::string_view::npos) {
    const auto bits = ParseNumber<int>(text.substr(slash + 1), all_bits);
    if (!bits || *bits < 0)
      return BadConfig("'" + std::string(text) + "' is not a network such as 192.0.2.0/24");
    network.prefix_bits = *bits;
  }
  const bool mapped = all_bits == 128 && Octets(network.base).size() == 4;
  if (mapped) network.prefix_bits = std::max(network.prefix_bits - 96, 0);
  return network;
}

bool Network::Contains(const SocketAddress& address) const {
  const auto ours = Octets(base);
  const auto theirs = Octets(address);
  if (ours.size() != theirs.size()) return false;
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin()))
    return false;
  const int rest = prefix_bits % 8;
  return rest == 0 || (ours[whole] >> (8 - rest)) == (theirs[whole] >> (8 - rest));
}

}  // namespace gatehouse
