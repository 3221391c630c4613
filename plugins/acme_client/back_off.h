// When it is tried again after a failure. Pure.
#pragma once

#include <chrono>

namespace gatehouse::acme {

inline constexpr std::chrono::seconds kFirstPause{3600};
inline constexpr std::chrono::seconds kLongestPause{86'400};
inline constexpr std::chrono::seconds kLongestWish{7 * 86'400};  // of a CA

// An hour, doubled with each failure up to a day, a tenth more or less by `random` (0 to 1); never
// before the CA wants it, within a week.
//   failures  in a row, this one included
[[nodiscard]] std::chrono::seconds PauseAfter(unsigned failures, double random,
                                              std::chrono::seconds retry_after);

// When the engine is offered again what it could not take: doubled each time up to a minute.
//   before  the pause before this one; 0: this is the first
[[nodiscard]] std::chrono::seconds OfferPause(std::chrono::seconds before);

}  // namespace gatehouse::acme
