// Time as a parameter: pure code takes a Clock, so that tests can turn the hands.
#pragma once

#include <chrono>
#include <cstdint>

namespace gatehouse {

using TimePoint = std::chrono::steady_clock::time_point;
using Deadline = TimePoint;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The wall clock, for what outlives the machine's uptime.
[[nodiscard]] inline std::int64_t UnixNowMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}
[[nodiscard]] inline std::int64_t UnixNow() {
  return UnixNowMs() / 1000;
}

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
