// One UDP socket on a descriptor the supervisor bound.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "core/loop/loop.h"
#include "core/loop/socket_address.h"

namespace gatehouse {

class UdpSocket {
 public:
  using OnDatagram = std::function<void(std::span<const std::byte>, const SocketAddress& from)>;
  static Result<std::unique_ptr<UdpSocket>> Create(Loop& loop, int bound_fd,
                                                   OnDatagram on_datagram);
  ~UdpSocket();
  // Sends or drops: UDP promises nothing. False when the kernel refused.
  bool Send(const SocketAddress& to, std::string_view bytes);

 private:
  struct State;
  explicit UdpSocket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
