#include "plugins/sip_translator/turn_budget.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

std::size_t TakenInATurn(TurnBudget& budget) {
  std::size_t taken = 0;
  while (budget.Take()) ++taken;
  budget.EndTurn();
  return taken;
}

TEST(TurnBudget, RequestsAloneGetLongTurns) {
  TurnBudget budget;
  EXPECT_EQ(TakenInATurn(budget), TurnBudget::kAlone);
  EXPECT_EQ(TakenInATurn(budget), TurnBudget::kAlone);
}

TEST(TurnBudget, AnswersMakeTheNextTurnsShortAndOnlyThose) {
  TurnBudget budget;
  EXPECT_TRUE(budget.Take());
  budget.OnAnswer();
  budget.EndTurn();
  for (int turn = 0; turn < TurnBudget::kTurnsAfterAnAnswer; ++turn)
    EXPECT_EQ(TakenInATurn(budget), TurnBudget::kBesideAnswers) << turn;
  EXPECT_EQ(TakenInATurn(budget), TurnBudget::kAlone);
}

}  // namespace
}  // namespace gatehouse
