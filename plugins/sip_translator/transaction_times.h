// The base timers of RFC 3261 §17.1.1.1 and what the transport makes of them.
#pragma once

#include <chrono>

#include "core/base/clock.h"

namespace gatehouse {

struct TransactionTimes {
  milliseconds t1{500};
  milliseconds t2{4000};
  milliseconds t4{5000};
  bool reliable = false;  // TCP and TLS: nothing is retransmitted, nothing lingers

  // Timers B, F, H, J, L and M.
  [[nodiscard]] milliseconds TimeOut() const { return 64 * t1; }
};

enum class TransactionKind { kInvite, kNonInvite };

inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace gatehouse
