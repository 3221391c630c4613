#include "plugins/sip_translator/timer_wheel.h"

#include <algorithm>

namespace gatehouse {

WheelTimer::~WheelTimer() {
  Unlink();
}

void WheelTimer::Unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
  --wheel_->size_;
}

TimerWheel::TimerWheel(TimePoint now) : tick_(TickOf(now)) {}

TimerWheel::~TimerWheel() {
  for (WheelTimer*& head : buckets_)
    while (head != nullptr) head->Unlink();
  while (due_now_ != nullptr) due_now_->Unlink();
}

std::int64_t TimerWheel::TickOf(TimePoint time) {
  return time.time_since_epoch() / kTick;
}

void TimerWheel::Link(WheelTimer& timer, WheelTimer*& head) {
  timer.wheel_ = this;
  timer.next_ = head;
  timer.link_ = &head;
  if (head != nullptr) head->link_ = &timer.next_;
  head = &timer;
  ++size_;
}

void TimerWheel::Arm(WheelTimer& timer, TimePoint due) {
  timer.Unlink();
  if (due == TimePoint::max()) return;
  timer.due_ = due;
  const auto tick = std::max(TickOf(due), tick_);
  Link(timer, buckets_[static_cast<std::size_t>(tick) % kBuckets]);
}

void TimerWheel::Cancel(WheelTimer& timer) {
  timer.Unlink();
}

void TimerWheel::TakeDue(WheelTimer* first, TimePoint now) {
  for (WheelTimer* timer = first; timer != nullptr;) {
    WheelTimer* const next = timer->next_;
    if (timer->due_ <= now) {
      timer->Unlink();
      Link(*timer, due_now_);
    }
    timer = next;
  }
}

void TimerWheel::Advance(TimePoint now) {
  const std::int64_t last = TickOf(now);
  const std::int64_t from = std::max(tick_, last - static_cast<std::int64_t>(kBuckets) + 1);
  for (std::int64_t tick = from; tick <= last; ++tick)
    TakeDue(buckets_[static_cast<std::size_t>(tick) % kBuckets], now);
  tick_ = last;
  while (due_now_ != nullptr) {
    WheelTimer* timer = due_now_;
    timer->Unlink();
    timer->OnDue(now);
  }
}

}  // namespace gatehouse
