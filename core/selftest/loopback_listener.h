// A listening socket at a loopback port of the kernel's choice.
#pragma once

#include "core/loop/owned_fd.h"
#include "core/loop/socket_address.h"

namespace gatehouse::selftest {

class LoopbackListener {
 public:
  static Result<LoopbackListener> Open();
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  LoopbackListener(OwnedFd fd, const SocketAddress& address)
      : fd_(std::move(fd)), address_(address) {}
  OwnedFd fd_;
  SocketAddress address_;
};

}  // namespace gatehouse::selftest
