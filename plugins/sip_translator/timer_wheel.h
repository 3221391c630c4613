// Very many timers that are nearly always cancelled: arming and cancelling cost a few instructions.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"

namespace gatehouse {

class TimerWheel;

// Something with one due time. Leaves its wheel when it is destroyed.
class WheelTimer {
 public:
  WheelTimer() = default;
  WheelTimer(const WheelTimer&) = delete;
  WheelTimer& operator=(const WheelTimer&) = delete;
  virtual ~WheelTimer();
  // Called by TimerWheel::Advance, not armed any more. May arm, cancel or destroy any timer, itself
  // included.
  virtual void OnDue(TimePoint now) = 0;

 private:
  friend class TimerWheel;
  void Unlink();
  TimerWheel* wheel_ = nullptr;
  WheelTimer* next_ = nullptr;
  WheelTimer** link_ = nullptr;  // the pointer that points here; null: not armed
  TimePoint due_;
};

class TimerWheel {
 public:
  static constexpr milliseconds kTick{25};  // due times are met within one tick
  explicit TimerWheel(TimePoint now);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  void Arm(WheelTimer& timer,
           TimePoint due);  // anew where it was armed; TimePoint::max() only cancels
  void Cancel(WheelTimer& timer);
  void Advance(TimePoint now);  // fires everything due
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend class WheelTimer;
  static constexpr std::size_t kBuckets =
      2048;  // 51 s a round: every transaction timer fits into one
  [[nodiscard]] static std::int64_t TickOf(TimePoint time);
  void Link(WheelTimer& timer, WheelTimer*& head);
  void TakeDue(WheelTimer* first, TimePoint now);

  std::array<WheelTimer*, kBuckets> buckets_{};
  WheelTimer* due_now_ = nullptr;
  std::int64_t tick_;  // everything before it has fired
  std::size_t size_ = 0;
};

}  // namespace gatehouse
