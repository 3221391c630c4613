#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "ipc/data_link.h"

namespace gatehouse::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kLost = 6;

struct TicketTest : ::testing::Test {
  std::vector<Outcome> outcomes;
  double lost = 0;

  Ticket Take() {
    return {[this](const Outcome& outcome) { outcomes.push_back(outcome); }, kLost, &lost};
  }
};

TEST_F(TicketTest, SettlesOnce) {
  {
    Ticket ticket = Take();
    ticket.Settle(Outcome::Delivered());
    EXPECT_FALSE(ticket.pending());
  }
  EXPECT_THAT(outcomes, ElementsAre(Outcome::Delivered()));
  EXPECT_EQ(lost, 0);
}

TEST_F(TicketTest, DestroyedUnsettledFailsAndCountsABug) {
  {
    const Ticket ticket = Take();
  }
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].kind, OutcomeKind::kFailed);
  EXPECT_EQ(outcomes[0].condition, kLost);
  EXPECT_EQ(lost, 1);
}

TEST_F(TicketTest, MovesItsDuty) {
  Ticket first = Take();
  Ticket second = std::move(first);
  EXPECT_TRUE(second.pending());
  EXPECT_THAT(outcomes, IsEmpty());
  second.Settle(Outcome::Delivered());
  EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(TicketTest, OverwrittenUnsettledFails) {
  Ticket ticket = Take();
  ticket = Take();
  EXPECT_EQ(lost, 1);
  ticket.Settle(Outcome::Delivered());
  EXPECT_EQ(lost, 1);
}

TEST_F(TicketTest, AbandonedSaysNothing) {
  {
    Ticket ticket = Take();
    ticket.Abandon();
  }
  EXPECT_THAT(outcomes, IsEmpty());
  EXPECT_EQ(lost, 0);
}

TEST_F(TicketTest, SettledTwiceIsABug) {
  Ticket ticket = Take();
  ticket.Settle(Outcome::Delivered());
  EXPECT_DEATH(ticket.Settle(Outcome::Delivered()), "");
}

}  // namespace
}  // namespace gatehouse::ipc
