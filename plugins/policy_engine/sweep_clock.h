// By which time contacts have ended for good (5.4). A wall clock that is wrong for a while must
// take none away for ever, so a sweep goes by the earliest time that it showed within the last hour
// of the machine's own clock: one that jumped a month ahead is believed once it has said so for an
// hour, one that was set back at once. In the first hour nothing has ended; processes of one start
// of one machine go on from each other's readings. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace gatehouse::policy_engine {

class SweepClock {
 public:
  static constexpr std::chrono::hours kDoubt{1};
  // Whatever ends by itself lies behind it.
  static constexpr std::int64_t kNothingHasEnded = 0;
  // Readings are kept as one of so long: the earliest time of the wall clock since its first.
  static constexpr std::chrono::minutes kStep{5};

  struct Reading {
    std::int64_t wall_unix;
    std::chrono::seconds since_boot;
    bool operator==(const Reading&) const = default;
  };
  // In their order. The first is an hour old or older, as soon as there is such a one.
  using Readings = std::deque<Reading>;

  SweepClock() = default;
  // Goes on from a process before. What is not from before `since_boot`, now, is not believed.
  SweepClock(Readings readings, std::chrono::seconds since_boot);
  // To be called before each sweep, with what both clocks show.
  //   gives  seconds since 1970; kNothingHasEnded before it has been asked for an hour
  std::int64_t Read(std::int64_t wall_unix, std::chrono::seconds since_boot);
  [[nodiscard]] const Readings& readings() const { return readings_; }

 private:
  Readings readings_;
};

}  // namespace gatehouse::policy_engine
