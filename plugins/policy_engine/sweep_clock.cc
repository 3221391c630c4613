#include "plugins/policy_engine/sweep_clock.h"

#include <algorithm>

namespace gatehouse::policy_engine {

std::int64_t SweepClock::Read(std::int64_t wall_unix, TimePoint now) {
  readings_.push_back({wall_unix, now});
  while (readings_.size() > 1 && now - readings_[1].at >= kDoubt) readings_.pop_front();
  if (now - readings_.front().at < kDoubt) return kNothingHasEnded;
  return std::ranges::min(readings_, {}, &Reading::wall_unix).wall_unix;
}

}  // namespace gatehouse::policy_engine
