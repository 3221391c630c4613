// The sockets the network comes in by. The supervisor binds them and keeps them open, so that a
// connection in an accept queue survives the death of the worker that will take it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/base/result.h"
#include "core/loop/owned_fd.h"
#include "core/supervisor/plan.h"

namespace gatehouse {

class ListeningSockets {
 public:
  // What went wrong with which key of the configuration.
  struct BindFailure {
    std::string key;
    std::string what;
  };
  struct Handed {
    proto::ListenSocket description;  // its fd is not set: that is the worker's number
    int fd = -1;                      // ours, stays open
  };
  using Instance = std::pair<std::string, unsigned>;  // plugin, index

  // Opens what `plan` needs and is not open yet: every instance of a pool its own SO_REUSEPORT
  // socket for each address. All or nothing. What no longer is wanted stays open until
  // CloseUnwanted.
  //   is_out  an instance for which it is true gets no socket: nobody would accept
  //   fails   with the first address that cannot be had, e.g. because another program has it
  Result<void, BindFailure> Open(const Plan& plan,
                                 const std::function<bool(const Instance&)>& is_out);
  void CloseUnwanted(const Plan& plan);
  void CloseInstance(const Instance& instance);

  [[nodiscard]] std::vector<Handed> Of(const PoolPlan& pool, unsigned index) const;
  // Each address once, with its real port: "127.0.0.1:5269", "tls:127.0.0.1:5061".
  struct Listener {
    std::string kind;
    std::string address;
  };
  [[nodiscard]] std::vector<Listener> All() const;

 private:
  struct Socket {
    OwnedFd fd;
    ListenWish wish;
    SocketAddress bound;
  };
  using Key = std::tuple<std::string, std::string, unsigned>;  // plugin, wish, index
  using Sockets = std::map<Key, Socket>;

  Result<void, BindFailure> OpenPool(const PoolPlan& pool,
                                     const std::function<bool(const Instance&)>& is_out,
                                     Sockets& opened) const;
  Result<Socket, BindFailure> OpenOne(const PoolPlan& pool, const ListenWish& wish,
                                      const Sockets& opened) const;
  [[nodiscard]] bool HoldsPort(const ListenWish& wish) const;

  Sockets sockets_;
};

}  // namespace gatehouse
