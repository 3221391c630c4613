// When a worker that died is started again. Pure: the clock is a parameter.
#pragma once

#include <cstdint>
#include <deque>

#include "core/base/clock.h"

namespace gatehouse {

enum class DiedWhen : std::uint8_t { kBeforeReady, kAfterReady };

// One per instance.
//   died before Ready   wait 1, 2, 4 ... 60 s; the first Ready begins anew at 1 s
//   died after Ready    at once, at most 5 times a minute; the sixth waits until the first is a
//   minute old
class RestartRule {
 public:
  static constexpr milliseconds kFirstWait{1000};
  static constexpr milliseconds kLongestWait{60000};
  static constexpr std::size_t kRestartsPerMinute = 5;

  // How long to wait from `now`, the moment of the death, until the next start.
  milliseconds AfterDeath(DiedWhen when, TimePoint now);
  void OnReady() { next_wait_ = kFirstWait; }

 private:
  milliseconds next_wait_ = kFirstWait;
  std::deque<TimePoint> restarts_;  // starts after Ready of the last minute, oldest first
};

}  // namespace gatehouse
