#include "plugins/sip_translator/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

struct Bell final : WheelTimer {
  explicit Bell(std::function<void()> on_ring = {}) : ring(std::move(on_ring)) {}
  void OnDue(TimePoint) override {
    ++rings;
    if (ring) ring();
  }
  std::function<void()> ring;
  int rings = 0;
};

TEST(TimerWheel, FiresOnceWithinATickOfTheDueTime) {
  FakeClock clock;
  TimerWheel wheel(clock.Now());
  Bell bell;
  wheel.Arm(bell, clock.In(500ms));
  EXPECT_EQ(wheel.size(), 1U);
  clock.Advance(499ms);
  wheel.Advance(clock.Now());
  EXPECT_EQ(bell.rings, 0);
  clock.Advance(1ms + TimerWheel::kTick);
  wheel.Advance(clock.Now());
  EXPECT_EQ(bell.rings, 1);
  clock.Advance(120s);
  wheel.Advance(clock.Now());
  EXPECT_EQ(bell.rings, 1);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, LongTimesGoRoundMoreThanOnce) {
  FakeClock clock;
  TimerWheel wheel(clock.Now());
  Bell bell;
  wheel.Arm(bell, clock.In(200s));
  for (int i = 0; i < 1990; ++i) {
    clock.Advance(100ms);
    wheel.Advance(clock.Now());
  }
  EXPECT_EQ(bell.rings, 0);
  clock.Advance(2s);
  wheel.Advance(clock.Now());
  EXPECT_EQ(bell.rings, 1);
}

TEST(TimerWheel, ArmingAnewMovesAndCancellingStops) {
  FakeClock clock;
  TimerWheel wheel(clock.Now());
  Bell moved;
  Bell cancelled;
  wheel.Arm(moved, clock.In(1s));
  wheel.Arm(moved, clock.In(3s));
  wheel.Arm(cancelled, clock.In(1s));
  wheel.Cancel(cancelled);
  clock.Advance(2s);
  wheel.Advance(clock.Now());
  EXPECT_EQ(moved.rings + cancelled.rings, 0);
  clock.Advance(2s);
  wheel.Advance(clock.Now());
  EXPECT_EQ(moved.rings, 1);
}

TEST(TimerWheel, TimersMayDestroyAndRearmEachOtherWhileFiring) {
  FakeClock clock;
  TimerWheel wheel(clock.Now());
  auto victim = std::make_unique<Bell>();
  auto other = std::make_unique<Bell>();
  Bell killer([&] {
    victim.reset();
    other.reset();
  });
  wheel.Arm(*victim, clock.In(1s));
  wheel.Arm(killer, clock.In(1s));
  wheel.Arm(*other, clock.In(1s));
  Bell again([&] { wheel.Arm(again, clock.In(1s)); });
  wheel.Arm(again, clock.In(1s));
  clock.Advance(2s);
  wheel.Advance(clock.Now());
  EXPECT_EQ(killer.rings, 1);
  EXPECT_EQ(again.rings, 1);
  EXPECT_EQ(wheel.size(), 1U);
}

TEST(TimerWheel, TimerThatOutlivesItsWheelIsHarmless) {
  FakeClock clock;
  Bell bell;
  {
    TimerWheel wheel(clock.Now());
    wheel.Arm(bell, clock.In(1s));
  }
  EXPECT_EQ(bell.rings, 0);
}

}  // namespace
}  // namespace gatehouse
