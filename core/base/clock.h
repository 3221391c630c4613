// Time as a parameter: pure code takes a Clock, so that tests can turn the hands.
#pragma once

#include <chrono>

namespace gatehouse {

using TimePoint = std::chrono::steady_clock::time_point;
using Deadline = TimePoint;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint Now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace gatehouse
