// How long one attempt may take, what its names share, and where it may go. Pure.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/base/clock.h"
#include "core/loop/socket_address.h"

namespace gatehouse::acme {

// Of a whole attempt: DNS hooks, validation by a busy CA and all, name by name.
constexpr seconds AttemptLimit(std::size_t names) {
  constexpr seconds kOfOne{900};
  constexpr seconds kOfEachMore{90};
  return kOfOne + kOfEachMore * (std::max<std::size_t>(names, 1) - 1);
}

// How long TXT records are waited for; then the CA is told all the same. One wait for all names of
// an attempt: where our DNS does not show the first one, it shows none.
class RecordPatience {
 public:
  static constexpr milliseconds kForAll{120'000};
  static constexpr milliseconds kLeast{5'000};  // for each

  [[nodiscard]] milliseconds ForNext() const { return std::max(left_, kLeast); }
  void Spent(milliseconds time) { left_ -= std::min(left_, time); }

 private:
  milliseconds left_ = kForAll;
};

// The directory is the operator's word, all other URLs are the CA's: they lead to loopback and the
// like only where the directory is there too, or the operator allows it.
class CaTargets {
 public:
  explicit CaTargets(bool allow_inside) : allow_inside_(allow_inside) {}

  bool MayGo(const SocketAddress& to, bool for_directory) {
    const bool is_inside = to.IsForbiddenTarget();
    if (for_directory && is_inside) allow_inside_ = true;
    return !is_inside || allow_inside_;
  }

 private:
  bool allow_inside_;
};

}  // namespace gatehouse::acme
