#include "core/selftest/loopback_listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace gatehouse::selftest {

Result<LoopbackListener> LoopbackListener::Open() {
  GATEHOUSE_TRY(SocketAddress address, SocketAddress::Parse("127.0.0.1:0"));
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  socklen_t size = sizeof address.storage;
  if (!fd.valid() || ::bind(fd.get(), address.raw(), address.size()) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &size) != 0)
    return Trouble(std::string("cannot listen on loopback: ") + std::strerror(errno));
  return LoopbackListener(std::move(fd), address);
}

}  // namespace gatehouse::selftest
