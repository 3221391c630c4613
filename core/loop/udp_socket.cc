#include "core/loop/udp_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "core/loop/uv_owner.h"

namespace gatehouse {
namespace {

// An IPv6 socket sends to IPv4 by the mapped form.
SocketAddress Mapped(const SocketAddress& v4) {
  const auto& source = *reinterpret_cast<const sockaddr_in*>(&v4.storage);
  SocketAddress mapped;
  auto& target = *reinterpret_cast<sockaddr_in6*>(&mapped.storage);
  target.sin6_family = AF_INET6;
  target.sin6_port = source.sin_port;
  target.sin6_addr.s6_addr[10] = 0xff;
  target.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(&target.sin6_addr.s6_addr[12], &source.sin_addr, 4);
  return mapped;
}

}  // namespace

struct UdpSocket::State {
  uv_udp_t udp{};
  bool is_ipv6 = false;
  OnDatagram on_datagram;

  static void OnReceive(uv_udp_t* udp, ssize_t count, const uv_buf_t* buffer, const sockaddr* from,
                        unsigned flags) noexcept {
    // Without a sender: nothing left to read, or an ICMP error of an earlier datagram.
    if (IsClosing(*udp) || count < 0 || from == nullptr || (flags & UV_UDP_PARTIAL) != 0) return;
    static_cast<State*>(udp->data)->on_datagram(
        std::as_bytes(std::span(buffer->base, static_cast<std::size_t>(count))),
        SocketAddress::From(from));
  }

  // Takes a duplicate, as closing the handle closes its descriptor.
  int Open(int bound_fd) {
    const int fd = fcntl(bound_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return uv_translate_sys_error(errno);
    if (const int code = uv_udp_open(&udp, fd); code != 0) {
      close(fd);
      return code;
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    is_ipv6 = bound.ss_family == AF_INET6;
    return uv_udp_recv_start(&udp, &OfferReadBuffer, &OnReceive);
  }
};

UdpSocket::UdpSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<UdpSocket>> UdpSocket::Create(Loop& loop, int bound_fd,
                                                     OnDatagram on_datagram) {
  auto state = std::make_unique<State>();
  uv_udp_init(loop.raw(), &state->udp);
  state->udp.data = state.get();
  state->on_datagram = std::move(on_datagram);
  const int code = state->Open(bound_fd);
  auto socket = std::unique_ptr<UdpSocket>(new UdpSocket(std::move(state)));
  if (code != 0) return Trouble(UvText("udp descriptor " + std::to_string(bound_fd), code));
  return socket;
}

UdpSocket::~UdpSocket() {
  uv_udp_t& udp = state_->udp;
  DeleteWithHandle(std::move(state_), udp);
}

bool UdpSocket::Send(const SocketAddress& to, std::string_view bytes) {
  const bool map = state_->is_ipv6 && to.storage.ss_family == AF_INET;
  const SocketAddress target = map ? Mapped(to) : to;
  const uv_buf_t buffer =
      uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  return uv_udp_try_send(&state_->udp, &buffer, 1, target.raw()) >= 0;
}

}  // namespace gatehouse
