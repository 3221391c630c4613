// Plain sockets on 127.0.0.1 with ports from the kernel, as the supervisor would bind them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/result.h"
#include "core/loop/socket_address.h"

namespace gatehouse {

class LoopbackSocket {
 public:
  explicit LoopbackSocket(int type) : fd_(socket(AF_INET, type | SOCK_NONBLOCK, 0)) {
    const auto any_port = SocketAddress::FromIp("127.0.0.1", 0);
    GATEHOUSE_CHECK(bind(fd_, any_port->raw(), any_port->size()) == 0);
    socklen_t size = sizeof address_.storage;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address_.storage), &size);
  }
  ~LoopbackSocket() { Close(); }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  static constexpr int kBacklog = 128;
  void Listen() const { GATEHOUSE_CHECK(listen(fd_, kBacklog) == 0); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  int fd_;
  SocketAddress address_;
};

}  // namespace gatehouse
