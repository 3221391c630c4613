#include "core/supervisor/restart_rule.h"

#include <algorithm>
#include <utility>

namespace gatehouse {
namespace {

constexpr std::chrono::minutes kWindow{1};

}  // namespace

milliseconds RestartRule::AfterDeath(DiedWhen when, TimePoint now) {
  if (when == DiedWhen::kBeforeReady)
    return std::exchange(next_wait_, std::min(next_wait_ * 2, kLongestWait));
  while (!restarts_.empty() && restarts_.front() + kWindow <= now) restarts_.pop_front();
  TimePoint start = now;
  if (restarts_.size() >= kRestartsPerMinute)
    start = restarts_[restarts_.size() - kRestartsPerMinute] + kWindow;
  restarts_.push_back(start);
  return std::chrono::ceil<milliseconds>(start - now);
}

}  // namespace gatehouse
