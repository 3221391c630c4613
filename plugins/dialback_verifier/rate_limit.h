// A token bucket. Pure.
#pragma once

#include <algorithm>

#include "core/base/clock.h"

namespace gatehouse {

class RateLimit {
 public:
  RateLimit(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Takes `cost` tokens; false when there are not so many.
  [[nodiscard]] bool Take(TimePoint now, double cost = 1) {
    const double idle = std::chrono::duration<double>(now - last_).count();
    tokens_ = std::min(burst_, tokens_ + std::max(0.0, idle) * per_second_);
    last_ = now;
    if (tokens_ < cost) return false;
    tokens_ -= cost;
    return true;
  }

 private:
  double per_second_;
  double burst_;
  double tokens_;
  TimePoint last_{};
};

}  // namespace gatehouse
