// An IP address with a port.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

struct SocketAddress {
  sockaddr_storage storage{};

  // "127.0.0.1:5269", "[::1]:5269". Fails with the text as given.
  static Result<SocketAddress> Parse(std::string_view text);
  // `ip` without brackets: "127.0.0.1", "::1".
  static Result<SocketAddress> FromIp(std::string_view ip, std::uint16_t port);
  static SocketAddress From(const sockaddr* address);

  [[nodiscard]] std::string ToText() const;  // as Parse takes it; an IPv4-mapped address as IPv4
  [[nodiscard]] std::string Ip() const;
  [[nodiscard]] std::uint16_t Port() const;
  void SetPort(std::uint16_t port);
  [[nodiscard]] bool IsLoopback() const;
  // Loopback, link-local, multicast or unspecified: no target of a federation connection (3.1).
  [[nodiscard]] bool IsForbiddenTarget() const;
  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] socklen_t size() const;
};

// A network such as "192.0.2.0/24", "::1/128" or a single address. For allow lists of SIP peers.
struct Network {
  SocketAddress base;
  int prefix_bits = 0;
  static Result<Network> Parse(std::string_view text);
  [[nodiscard]] bool Contains(const SocketAddress& address) const;
};

}  // namespace gatehouse
