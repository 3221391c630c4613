#include "core/supervisor/listening_sockets.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gatehouse {
namespace {

constexpr int kBacklog = 1024;  // connections that wait while a worker is reborn

enum class Sharing : std::uint8_t { kAlone, kPort };

std::string WhyNotBound(const SocketAddress& address, int code) {
  const std::string text = address.ToText();
  if (code == EADDRINUSE)
    return fmt::format(
        "{} is occupied by another program; would be right: a free port, or 0 for "
        "any",
        text);
  if (code == EACCES)
    return fmt::format("{} may not be bound by this user; would be right: a port above 1023", text);
  if (code == EADDRNOTAVAIL)
    return fmt::format("{} is no address of this machine; would be right: one that is, or [::]",
                       text);
  return fmt::format("{} cannot be bound: {}", text, std::strerror(code));
}

bool SetFlag(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

std::unexpected<int> LastError() {
  return std::unexpected(errno);
}

// A bound and, for streams, listening socket; or errno.
Result<OwnedFd, int> Bind(const ListenAddress& where, Sharing sharing) {
  const SocketAddress& address = where.address;
  const int family = address.raw()->sa_family;
  const bool datagrams = where.transport == "udp";
  OwnedFd fd(
      ::socket(family, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return LastError();
  // [::] takes IPv4 too, whatever the system's default.
  if (family == AF_INET6 && !SetFlag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0)) return LastError();
  if (!datagrams && !SetFlag(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1)) return LastError();
  if (sharing == Sharing::kPort && !SetFlag(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1))
    return LastError();
  if (::bind(fd.get(), address.raw(), address.size()) != 0) return LastError();
  if (!datagrams && ::listen(fd.get(), kBacklog) != 0) return LastError();
  return fd;
}

Result<SocketAddress, int> BoundAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return LastError();
  return SocketAddress::From(reinterpret_cast<sockaddr*>(&storage));
}

std::string_view KindName(proto::ListenKind kind) {
  switch (static_cast<int>(kind)) {
    case proto::XMPP:
      return "xmpp";
    case proto::XMPPS:
      return "xmpps";
    case proto::HTTP:
      return "http";
    default:
      return "sip";
  }
}

}  // namespace

Result<void, ListeningSockets::BindFailure> ListeningSockets::Open(
    const Plan& plan, const std::function<bool(const Instance&)>& is_out) {
  Sockets opened;
  for (const PoolPlan& pool : plan.pools)
    if (auto done = OpenPool(pool, is_out, opened); !done) return done;
  sockets_.merge(std::move(opened));
  return {};
}

Result<void, ListeningSockets::BindFailure> ListeningSockets::OpenPool(
    const PoolPlan& pool, const std::function<bool(const Instance&)>& is_out,
    Sockets& opened) const {
  for (const ListenWish& wish : pool.listen) {
    for (unsigned index = 0; index < pool.count; ++index) {
      Key key(pool.name(), wish.id, index);
      if (sockets_.contains(key) || is_out({pool.name(), index})) continue;
      auto socket = OpenOne(pool, wish, opened);
      if (!socket) return std::unexpected(std::move(socket).error());
      opened.emplace(std::move(key), *std::move(socket));
    }
  }
  return {};
}

Result<ListeningSockets::Socket, ListeningSockets::BindFailure> ListeningSockets::OpenOne(
    const PoolPlan& pool, const ListenWish& wish, const Sockets& opened) const {
  ListenAddress where = wish.address;
  const Socket* shared = nullptr;  // the same address, of another instance
  for (const Sockets* known : {&sockets_, &opened})
    for (const auto& [key, socket] : *known)
      if (std::get<0>(key) == pool.name() && std::get<1>(key) == wish.id) shared = &socket;
  if (shared != nullptr) where.address = shared->bound;
  // SO_REUSEPORT would share the port with any program of this user, so the first to come asks
  // alone.
  if (shared == nullptr && where.address.Port() != 0 && !HoldsPort(wish))
    if (const auto alone = Bind(where, Sharing::kAlone); !alone)
      return std::unexpected(BindFailure{wish.key, WhyNotBound(where.address, alone.error())});
  auto fd = Bind(where, Sharing::kPort);
  if (!fd) return std::unexpected(BindFailure{wish.key, WhyNotBound(where.address, fd.error())});
  const auto bound = BoundAddress(fd->get());
  if (!bound)
    return std::unexpected(BindFailure{wish.key, WhyNotBound(where.address, bound.error())});
  return Socket{*std::move(fd), wish, *bound};
}

// While listen addresses change, old and new may share a port.
bool ListeningSockets::HoldsPort(const ListenWish& wish) const {
  return std::ranges::any_of(sockets_, [&wish](const auto& entry) {
    const Socket& socket = entry.second;
    return (socket.wish.address.transport == "udp") == (wish.address.transport == "udp") &&
           socket.bound.Port() == wish.address.address.Port();
  });
}

void ListeningSockets::CloseUnwanted(const Plan& plan) {
  std::erase_if(sockets_, [&plan](const auto& entry) {
    const auto& [plugin, wish_id, index] = entry.first;
    const PoolPlan* const pool = plan.Find(plugin);
    return pool == nullptr || index >= pool->count ||
           std::ranges::find(pool->listen, wish_id, &ListenWish::id) == pool->listen.end();
  });
}

void ListeningSockets::CloseInstance(const Instance& instance) {
  std::erase_if(sockets_, [&instance](const auto& entry) {
    return std::get<0>(entry.first) == instance.first &&
           std::get<2>(entry.first) == instance.second;
  });
}

std::vector<ListeningSockets::Handed> ListeningSockets::Of(const PoolPlan& pool,
                                                           unsigned index) const {
  std::vector<Handed> handed;
  for (const ListenWish& wish : pool.listen) {
    const auto found = sockets_.find(Key(pool.name(), wish.id, index));
    if (found == sockets_.end()) continue;
    proto::ListenSocket description;
    description.set_kind(wish.kind);
    description.set_transport(wish.address.transport);
    description.set_address(found->second.bound.ToText());
    handed.push_back({std::move(description), found->second.fd.get()});
  }
  return handed;
}

std::vector<ListeningSockets::Listener> ListeningSockets::All() const {
  std::vector<Listener> all;
  for (const auto& [key, socket] : sockets_) {
    const std::string address = socket.bound.ToText();
    Listener listener{
        std::string(KindName(socket.wish.kind)),
        socket.wish.kind == proto::SIP ? socket.wish.address.transport + ":" + address : address};
    const auto same = [&listener](const Listener& other) {
      return other.kind == listener.kind && other.address == listener.address;
    };
    if (std::ranges::none_of(all, same)) all.push_back(std::move(listener));
  }
  return all;
}

}  // namespace gatehouse
