#include "ipc/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace gatehouse::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Arrival = Inbox::Arrival;

constexpr std::uint64_t kLife = 0xA1;
constexpr std::uint64_t kNextLife = 0xB2;

struct InboxTest : ::testing::Test {
  InboxTest() { inbox.Reborn(kLife); }

  std::vector<std::pair<std::uint64_t, Outcome>> Tell() {
    std::vector<std::pair<std::uint64_t, Outcome>> told;
    for (const auto* next = inbox.Next(); next != nullptr; next = inbox.Next()) {
      told.emplace_back(next->seq.value, next->outcome);
      inbox.MarkTold();
    }
    return told;
  }

  Inbox inbox{4};
};

TEST_F(InboxTest, TellsEachOutcomeOnceInTheOrderOfSettling) {
  inbox.Arrive(OfferSeq{1});
  inbox.Arrive(OfferSeq{2});
  EXPECT_TRUE(inbox.Settle(kLife, OfferSeq{2}, Outcome::Delivered()));
  EXPECT_TRUE(inbox.Settle(kLife, OfferSeq{1}, Outcome::Failed(7, "busy")));
  EXPECT_THAT(Tell(),
              ElementsAre(Pair(2, Outcome::Delivered()), Pair(1, Outcome::Failed(7, "busy"))));
  EXPECT_THAT(Tell(), IsEmpty());
}

TEST_F(InboxTest, DropsARepeatOfOneInProgress) {
  EXPECT_EQ(inbox.Arrive(OfferSeq{1}), Arrival::kNew);
  EXPECT_EQ(inbox.Arrive(OfferSeq{1}), Arrival::kInProgress);
  EXPECT_THAT(Tell(), IsEmpty());
}

TEST_F(InboxTest, AnswersARepeatOfASettledOneWithItsOutcome) {
  inbox.Arrive(OfferSeq{1});
  inbox.Settle(kLife, OfferSeq{1}, Outcome::Failed(7));
  Tell();
  EXPECT_EQ(inbox.Arrive(OfferSeq{1}), Arrival::kSettled);
  EXPECT_THAT(Tell(), ElementsAre(Pair(1, Outcome::Failed(7))));
}

TEST_F(InboxTest, SettlesOnce) {
  inbox.Arrive(OfferSeq{1});
  EXPECT_TRUE(inbox.Settle(kLife, OfferSeq{1}, Outcome::Delivered()));
  EXPECT_FALSE(inbox.Settle(kLife, OfferSeq{1}, Outcome::Failed(1)));
  EXPECT_THAT(Tell(), ElementsAre(Pair(1, Outcome::Delivered())));
}

TEST_F(InboxTest, ForgetsBelowSettledBelow) {
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    inbox.Arrive(OfferSeq{seq});
    inbox.Settle(kLife, OfferSeq{seq}, Outcome::Delivered());
  }
  inbox.ForgetBelow(OfferSeq{3});
  EXPECT_EQ(inbox.known(), 1U);
  EXPECT_EQ(inbox.Arrive(OfferSeq{2}), Arrival::kForgotten);
  EXPECT_EQ(inbox.Arrive(OfferSeq{3}), Arrival::kSettled);
}

TEST_F(InboxTest, SettledBelowNeverFalls) {
  inbox.ForgetBelow(OfferSeq{5});
  inbox.ForgetBelow(OfferSeq{2});
  EXPECT_EQ(inbox.Arrive(OfferSeq{4}), Arrival::kForgotten);
}

TEST_F(InboxTest, ForgetsByNumberAboveAStalledOffer) {
  inbox.Arrive(OfferSeq{1});
  inbox.Arrive(OfferSeq{2});
  inbox.Settle(kLife, OfferSeq{2}, Outcome::Delivered());
  inbox.Forget(OfferSeq{2});
  EXPECT_EQ(inbox.known(), 1U);
}

TEST_F(InboxTest, SaysNothingOfAnOfferThatExpiredAtItsSender) {
  inbox.Arrive(OfferSeq{1});
  inbox.ForgetBelow(OfferSeq{2});
  EXPECT_FALSE(inbox.Settle(kLife, OfferSeq{1}, Outcome::Delivered()));
  EXPECT_THAT(Tell(), IsEmpty());
}

TEST_F(InboxTest, ANewLifeOfTheSenderCountsFromOneAgain) {
  inbox.Arrive(OfferSeq{1});
  inbox.Settle(kLife, OfferSeq{1}, Outcome::Delivered());
  inbox.ForgetBelow(OfferSeq{2});
  inbox.Reborn(kNextLife);
  EXPECT_THAT(Tell(), IsEmpty());
  EXPECT_EQ(inbox.Arrive(OfferSeq{1}), Arrival::kNew);
}

TEST_F(InboxTest, ATicketOfADeadLifeSettlesNothingOfTheNext) {
  inbox.Arrive(OfferSeq{1});
  inbox.Reborn(kNextLife);
  inbox.Arrive(OfferSeq{1});
  EXPECT_FALSE(inbox.Settle(kLife, OfferSeq{1}, Outcome::Delivered()));
  EXPECT_EQ(inbox.Arrive(OfferSeq{1}), Arrival::kInProgress);
}

TEST_F(InboxTest, RefusesMoreThanItMayKnow) {
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    EXPECT_EQ(inbox.Arrive(OfferSeq{seq}), Arrival::kNew);
  EXPECT_EQ(inbox.Arrive(OfferSeq{5}), Arrival::kTooMany);
  EXPECT_EQ(inbox.Arrive(OfferSeq{4}), Arrival::kInProgress);
  inbox.ForgetBelow(OfferSeq{2});
  EXPECT_EQ(inbox.Arrive(OfferSeq{5}), Arrival::kNew);
}

TEST_F(InboxTest, TakesOffersInAnyOrderAndWithGaps) {
  EXPECT_EQ(inbox.Arrive(OfferSeq{900}), Arrival::kNew);
  EXPECT_EQ(inbox.Arrive(OfferSeq{7}), Arrival::kNew);
}

}  // namespace
}  // namespace gatehouse::ipc
