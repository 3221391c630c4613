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

TEST(TurnBudget, AnswersMakeTheNextTurnShortAndOnlyThat) {
  TurnBudget budget;
  EXPECT_TRUE(budget.Take());
  budget.OnAnswer();
  budget.EndTurn();
  EXPECT_EQ(TakenInATurn(budget), TurnBudget::kBesideAnswers);
  EXPECT_EQ(TakenInATurn(budget), TurnBudget::kAlone);
}

}  // namespace
}  // namespace gatehouse
