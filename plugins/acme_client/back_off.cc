#include "plugins/acme_client/back_off.h"

#include <algorithm>
#include <cstdint>

namespace gatehouse::acme {

std::chrono::seconds PauseAfter(unsigned failures, double random,
                                std::chrono::seconds retry_after) {
  constexpr unsigned kDoublings = 5;  // 32 hours: above the longest
  const unsigned doublings = std::min(failures > 0 ? failures - 1 : 0, kDoublings);
  const auto pause = std::min(kFirstPause * (1U << doublings), kLongestPause);
  const double jittered =
      static_cast<double>(pause.count()) * (0.9 + 0.2 * std::clamp(random, 0.0, 1.0));
  return std::max(std::chrono::seconds{static_cast<std::int64_t>(jittered)},
                  std::min(retry_after, kLongestWish));
}

std::chrono::seconds OfferPause(std::chrono::seconds before) {
  constexpr std::chrono::seconds kFirst{2};
  constexpr std::chrono::seconds kLongest{60};
  return std::clamp(2 * before, kFirst, kLongest);
}

}  // namespace gatehouse::acme
