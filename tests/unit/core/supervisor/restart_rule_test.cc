#include "core/supervisor/restart_rule.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TEST(RestartRule, WaitsTwiceAsLongForEachDeathBeforeReadyUpToAMinute) {
  FakeClock clock;
  RestartRule rule;
  for (const seconds wait : std::array{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s})
    EXPECT_EQ(rule.AfterDeath(DiedWhen::kBeforeReady, clock.Now()), wait);
}

TEST(RestartRule, BeginsAnewAfterReady) {
  FakeClock clock;
  RestartRule rule;
  rule.AfterDeath(DiedWhen::kBeforeReady, clock.Now());
  rule.AfterDeath(DiedWhen::kBeforeReady, clock.Now());
  rule.OnReady();
  EXPECT_EQ(rule.AfterDeath(DiedWhen::kBeforeReady, clock.Now()), 1s);
}

TEST(RestartRule, StartsAgainAtOnceFiveTimesAMinuteAfterReady) {
  // clang-format off
  struct Row { milliseconds after; milliseconds wait; };
  constexpr std::array kRows = {
      Row{0ms,     0ms},
      Row{1000ms,  0ms},
      Row{1000ms,  0ms},
      Row{1000ms,  0ms},
      Row{1000ms,  0ms},      // the fifth, at 4 s
      Row{1000ms,  55000ms},  // at 5 s: the first is a minute old at 60 s
      Row{56000ms, 0ms},      // at 61 s the second has left the minute too
      Row{500ms,   500ms},    // at 61.5 s: the third leaves at 62 s
  };
  // clang-format on
  FakeClock clock;
  RestartRule rule;
  for (const Row& row : kRows) {
    clock.Advance(row.after);
    EXPECT_EQ(rule.AfterDeath(DiedWhen::kAfterReady, clock.Now()), row.wait);
  }
}

TEST(RestartRule, NeverStartsMoreThanFiveTimesInAnyMinute) {
  FakeClock clock;
  RestartRule rule;
  std::vector<TimePoint> starts;
  for (int i = 0; i < 40; ++i) {
    clock.Advance(rule.AfterDeath(DiedWhen::kAfterReady, clock.Now()));
    starts.push_back(clock.Now());
    clock.Advance(10ms);
  }
  for (std::size_t i = 5; i < starts.size(); ++i) EXPECT_GE(starts[i] - starts[i - 5], 60s);
}

}  // namespace
}  // namespace gatehouse
