#include "plugins/sip_translator/turn_budget.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

class TurnBudgetScene : public testing::Test {
 protected:
  std::ptrdiff_t TakenInATurn() {
    std::ptrdiff_t taken = 0;
    while (budget_.Take()) ++taken;
    budget_.EndTurn(now_);
    return taken;
  }
  void Answers(int count) {
    for (int i = 0; i < count; ++i) budget_.OnAnswer(now_);
  }

  TimePoint now_ = TimePoint{} + 1h;
  TurnBudget budget_;
};

TEST_F(TurnBudgetScene, RequestsAloneGetLongTurns) {
  EXPECT_EQ(TakenInATurn(), TurnBudget::kMost);
  EXPECT_EQ(TakenInATurn(), TurnBudget::kMost);
}

TEST_F(TurnBudgetScene, AsManyRequestsAreTakenAsAnswersCame) {
  Answers(1);
  TakenInATurn();  // was begun without answers: far ahead of them now
  std::ptrdiff_t taken = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    Answers(10);
    taken += TakenInATurn();
  }
  EXPECT_NEAR(static_cast<double>(taken), 10000, 2.0 * TurnBudget::kMost);
}

TEST_F(TurnBudgetScene, BesideManyAnswersTurnsAreAsLongAsAlone) {
  Answers(1000);
  TakenInATurn();
  EXPECT_EQ(TakenInATurn(), TurnBudget::kMost);
}

TEST_F(TurnBudgetScene, FewAnswersLeaveRequestsTheirLeast) {
  Answers(1);
  TakenInATurn();
  for (int turn = 0; turn < 1000; ++turn) EXPECT_EQ(TakenInATurn(), TurnBudget::kLeast);
}

TEST_F(TurnBudgetScene, AfterTheLastAnswerTurnsGrowLongAgain) {
  Answers(1);
  TakenInATurn();
  now_ += TurnBudget::kAnswersStopped;
  TakenInATurn();
  EXPECT_EQ(TakenInATurn(), TurnBudget::kMost);
}

}  // namespace
}  // namespace gatehouse
