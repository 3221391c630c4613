// A clock whose hands the test turns.
#pragma once

#include "core/base/clock.h"

namespace gatehouse {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return now_; }
  [[nodiscard]] TimePoint In(milliseconds span) const { return now_ + span; }
  void Advance(milliseconds span) { now_ += span; }

 private:
  TimePoint now_{std::chrono::hours{1}};
};

}  // namespace gatehouse
