#include "plugins/policy_engine/sweep_clock.h"

#include <algorithm>
#include <utility>

namespace gatehouse::policy_engine {

SweepClock::SweepClock(Readings readings, std::chrono::seconds since_boot)
    : readings_(std::move(readings)) {
  std::erase_if(readings_, [&](const Reading& one) { return one.since_boot > since_boot; });
}

std::int64_t SweepClock::Read(std::int64_t wall_unix, std::chrono::seconds since_boot) {
  if (readings_.empty() || since_boot - readings_.back().since_boot >= kStep)
    readings_.push_back({wall_unix, since_boot});
  Reading& last = readings_.back();
  last.wall_unix = std::min(last.wall_unix, wall_unix);
  while (readings_.size() > 1 && since_boot - readings_[1].since_boot >= kDoubt)
    readings_.pop_front();
  if (since_boot - readings_.front().since_boot < kDoubt) return kNothingHasEnded;
  return std::ranges::min(readings_, {}, &Reading::wall_unix).wall_unix;
}

}  // namespace gatehouse::policy_engine
