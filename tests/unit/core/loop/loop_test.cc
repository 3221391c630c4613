#include "core/loop/loop.h"

#include <gmock/gmock.h>

#include "core/loop/timer.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;

class LoopTurn : public testing::Test {
 protected:
  std::unique_ptr<Loop> loop_ = MakeLoop();
  std::vector<std::string> order_;
};

TEST_F(LoopTurn, RunsQueuedActionsWithoutWaiting) {
  loop_->AtEndOfTurn([this] { order_.emplace_back("end"); });
  loop_->Post([this] { order_.emplace_back("post"); });
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("post", "end"));
}

TEST_F(LoopTurn, RunReturnsAfterStopAndWaitsUntilThen) {
  Timer late(*loop_, [this] { loop_->Stop(); });
  late.Start(milliseconds(5));
  loop_->Run();
  EXPECT_FALSE(late.active());
}

TEST_F(LoopTurn, ActionsQueuedAtItsEndStillBelongToIt) {
  loop_->AtEndOfTurn([this] {
    order_.emplace_back("first");
    loop_->AtEndOfTurn([this] { order_.emplace_back("second"); });
  });
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("first", "second"));
}

TEST_F(LoopTurn, AnActionThatQueuesItselfForEverDoesNotStopTheLoop) {
  int runs = 0;
  std::function<void()> again = [&] {
    ++runs;
    loop_->AtEndOfTurn(again);
  };
  again();
  bool timer_fired = false;
  Timer timer(*loop_, [&] { timer_fired = true; });
  timer.Start(milliseconds(0));
  EXPECT_TRUE(RunUntil(*loop_, [&] { return timer_fired; }));
  EXPECT_GT(runs, 1);
}

TEST_F(LoopTurn, PostFromAPostedActionWaitsForTheNextTurn) {
  loop_->Post([this] {
    order_.emplace_back("first");
    loop_->Post([this] { order_.emplace_back("second"); });
  });
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("first"));
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("first", "second"));
}

TEST_F(LoopTurn, ArmedActionsRunOnceAndAfterTheOthers) {
  EndOfTurn flush(*loop_, [this] { order_.emplace_back("flush"); });
  flush.Arm();
  flush.Arm();
  loop_->AtEndOfTurn([this] { order_.emplace_back("end"); });
  loop_->RunOnce();
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("end", "flush"));
}

TEST_F(LoopTurn, AnArmedActionGoesAwayWithItsOwner) {
  auto first = std::make_unique<EndOfTurn>(*loop_, [this] { order_.emplace_back("first"); });
  auto second = std::make_unique<EndOfTurn>(*loop_, [this, &first] {
    order_.emplace_back("second");
    first->Arm();
    first.reset();
  });
  first->Arm();
  second->Arm();
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("first", "second"));
}

TEST_F(LoopTurn, AnArmedActionMayDestroyItsOwner) {
  std::unique_ptr<EndOfTurn> own;
  own = std::make_unique<EndOfTurn>(*loop_, [this, &own] {
    own.reset();
    order_.emplace_back("after");
  });
  own->Arm();
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("after"));
}

TEST_F(LoopTurn, WhatIsArmedForTheNextTurnLetsTheSocketsComeFirst) {
  NextTurn again(*loop_, [this] { order_.emplace_back("next"); });
  EndOfTurn end(*loop_, [&] {
    order_.emplace_back("end");
    again.Arm();
    again.Arm();
  });
  end.Arm();
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("end"));
  loop_->RunOnce();
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("end", "next"));
}

TEST_F(LoopTurn, WhatArmsItselfForTheNextTurnEndsThisOne) {
  int runs = 0;
  NextTurn again(*loop_, [&] {
    ++runs;
    again.Arm();
  });
  again.Arm();
  loop_->RunOnce();
  EXPECT_EQ(runs, 1);
  loop_->RunOnce();
  EXPECT_EQ(runs, 2);
}

TEST_F(LoopTurn, AnActionOfTheNextTurnGoesAwayWithItsOwner) {
  auto first = std::make_unique<NextTurn>(*loop_, [this] { order_.emplace_back("first"); });
  NextTurn second(*loop_, [this] { order_.emplace_back("second"); });
  first->Arm();
  second.Arm();
  first.reset();
  loop_->RunOnce();
  EXPECT_THAT(order_, ElementsAre("second"));
}

TEST(Timer, FiresOnceUnlessItRepeats) {
  const auto loop = MakeLoop();
  int once = 0;
  int often = 0;
  Timer single(*loop, [&] { ++once; });
  Timer repeating(*loop, [&] { ++often; });
  single.Start(milliseconds(1));
  repeating.StartRepeating(milliseconds(1));
  EXPECT_TRUE(RunUntil(*loop, [&] { return often >= 3; }));
  EXPECT_EQ(once, 1);
  EXPECT_FALSE(single.active());
  EXPECT_TRUE(repeating.active());
  repeating.Stop();
  EXPECT_FALSE(repeating.active());
}

TEST(Timer, MayBeDestroyedWhileItFires) {
  const auto loop = MakeLoop();
  bool after = false;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(*loop, [&timer, &after] {
    timer.reset();
    after = true;
  });
  timer->Start(milliseconds(0));
  EXPECT_TRUE(RunUntil(*loop, [&] { return after; }));
}

TEST(Timer, IsSilentAfterItsDestruction) {
  const auto loop = MakeLoop();
  bool fired = false;
  bool later = false;
  auto timer = std::make_unique<Timer>(*loop, [&] { fired = true; });
  timer->Start(milliseconds(0));
  timer.reset();
  Timer other(*loop, [&] { later = true; });
  other.Start(milliseconds(1));
  EXPECT_TRUE(RunUntil(*loop, [&] { return later; }));
  EXPECT_FALSE(fired);
}

}  // namespace
}  // namespace gatehouse
