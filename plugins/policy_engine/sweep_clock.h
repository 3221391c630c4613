// By which time contacts have ended for good (5.4). A wall clock that is wrong for a while must
// take none away for ever, so a sweep goes by the earliest time that it showed within the last hour
// of the monotonic clock: one that jumped a month ahead is believed once it has said so for an
// hour, one that was set back at once. In the first hour of a process nothing has ended. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "core/base/clock.h"

namespace gatehouse::policy_engine {

class SweepClock {
 public:
  static constexpr std::chrono::hours kDoubt{1};
  // Whatever ends by itself lies behind it.
  static constexpr std::int64_t kNothingHasEnded = 0;

  // To be called before each sweep, with what both clocks show.
  //   gives  seconds since 1970; kNothingHasEnded before it has been asked for an hour
  std::int64_t Read(std::int64_t wall_unix, TimePoint now);

 private:
  struct Reading {
    std::int64_t wall_unix;
    TimePoint at;
  };
  // The first is an hour old or older, as soon as there is such a one.
  std::deque<Reading> readings_;
};

}  // namespace gatehouse::policy_engine
