#include "ipc/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace gatehouse::ipc {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct OutboxTest : ::testing::Test {
  FakeClock clock;
  Outbox outbox{Window{8}, clock};
  std::vector<std::pair<std::string, Outcome>> settled;

  OfferSeq Add(const std::string& body, milliseconds expires = 30s, const std::string& key = "k") {
    return outbox.Add(key, body, clock.In(expires), [this, body](const Outcome& outcome) {
      settled.emplace_back(body, outcome);
    });
  }
  // What would go out now: body and attempt.
  std::vector<std::pair<std::string, std::uint32_t>> Send() {
    std::vector<std::pair<std::string, std::uint32_t>> sent;
    while (const auto next = outbox.Next()) {
      sent.emplace_back(next->body, next->attempt);
      outbox.MarkSent();
    }
    return sent;
  }
};

TEST_F(OutboxTest, SendsEachOfferOnceInOrder) {
  Add("a");
  Add("b");
  EXPECT_THAT(Send(), ElementsAre(Pair("a", 1), Pair("b", 1)));
  EXPECT_THAT(Send(), IsEmpty());
  Add("c");
  EXPECT_THAT(Send(), ElementsAre(Pair("c", 1)));
}

TEST_F(OutboxTest, NumbersOffersFromOne) {
  EXPECT_EQ(Add("a"), OfferSeq{1});
  EXPECT_EQ(Add("b"), OfferSeq{2});
}

TEST_F(OutboxTest, KeepsAnOfferUntilItIsSettled) {
  const OfferSeq a = Add("a");
  Send();
  EXPECT_EQ(outbox.unsettled(), 1U);
  EXPECT_EQ(outbox.Settle(a, Outcome::Failed(9, "no")), Outbox::SettleResult::kSettled);
  EXPECT_EQ(outbox.unsettled(), 0U);
  EXPECT_THAT(settled, ElementsAre(Pair("a", Outcome::Failed(9, "no"))));
}

TEST_F(OutboxTest, OffersAgainInOrderAfterTheOtherEndIsReborn) {
  const OfferSeq a = Add("a");
  Add("b");
  Add("c");
  Send();
  outbox.Settle(a, Outcome::Delivered());
  Add("d");  // not sent yet

  outbox.OfferAgain();
  EXPECT_THAT(Send(), ElementsAre(Pair("b", 2), Pair("c", 2), Pair("d", 1)));
  outbox.OfferAgain();
  EXPECT_THAT(Send(), ElementsAre(Pair("b", 3), Pair("c", 3), Pair("d", 2)));
}

TEST_F(OutboxTest, SendsWhatWaitedForTheFirstLifeOnce) {
  Add("a");
  Add("b");
  outbox.OfferAgain();
  EXPECT_THAT(Send(), ElementsAre(Pair("a", 1), Pair("b", 1)));
}

TEST_F(OutboxTest, IgnoresASecondSettle) {
  const OfferSeq a = Add("a");
  Send();
  outbox.Settle(a, Outcome::Delivered());
  EXPECT_EQ(outbox.Settle(a, Outcome::Failed(1)), Outbox::SettleResult::kLate);
  EXPECT_EQ(settled.size(), 1U);
}

TEST_F(OutboxTest, TellsASettleOfWhatWasNeverOffered) {
  Add("a");
  EXPECT_EQ(outbox.Settle(OfferSeq{0}, Outcome::Delivered()), Outbox::SettleResult::kNeverOffered);
  EXPECT_EQ(outbox.Settle(OfferSeq{2}, Outcome::Delivered()), Outbox::SettleResult::kNeverOffered);
  EXPECT_THAT(settled, IsEmpty());
}

TEST_F(OutboxTest, ExpiresAnOfferOnceAndIgnoresTheLateSettle) {
  const OfferSeq a = Add("a", 10s);
  Add("b", 20s);
  clock.Advance(9999ms);
  EXPECT_EQ(outbox.Expire(), 0U);
  clock.Advance(1ms);
  EXPECT_EQ(outbox.Expire(), 1U);
  EXPECT_EQ(outbox.Expire(), 0U);
  EXPECT_EQ(outbox.Settle(a, Outcome::Delivered()), Outbox::SettleResult::kLate);
  EXPECT_THAT(settled, ElementsAre(Pair("a", Outcome::Expired())));
}

TEST_F(OutboxTest, LeavesWhatWasSentToTheOtherEndBeyondItsDeadline) {
  const OfferSeq a = Add("a", 10s);
  Add("lost", 20s);
  Send();
  clock.Advance(10s);
  EXPECT_EQ(outbox.Expire(), 0U);
  EXPECT_EQ(outbox.NextExpiry(), clock.In(Outbox::kAnswerGrace));
  outbox.Settle(a, Outcome::Delivered());
  clock.Advance(10s + Outbox::kAnswerGrace);
  EXPECT_EQ(outbox.Expire(), 1U);
  EXPECT_THAT(settled,
              ElementsAre(Pair("a", Outcome::Delivered()), Pair("lost", Outcome::Expired())));
}

TEST_F(OutboxTest, DoesNotOfferAgainWhatHasExpired) {
  Add("a", 1s);
  Add("b", 30s);
  Send();
  clock.Advance(2s);
  EXPECT_EQ(outbox.Expire(), 0U);
  outbox.OfferAgain();
  EXPECT_EQ(outbox.Expire(), 1U);
  EXPECT_THAT(Send(), ElementsAre(Pair("b", 2)));
}

TEST_F(OutboxTest, ExpiresWhatWasNeverSent) {
  Add("a", 1s);
  clock.Advance(1s);
  outbox.Expire();
  EXPECT_THAT(Send(), IsEmpty());
  EXPECT_THAT(settled, ElementsAre(Pair("a", Outcome::Expired())));
}

TEST_F(OutboxTest, NamesTheNextExpiry) {
  EXPECT_EQ(outbox.NextExpiry(), std::nullopt);
  Add("a", 20s);
  Add("b", 10s);
  EXPECT_EQ(outbox.NextExpiry(), clock.In(10s));
  clock.Advance(10s);
  outbox.Expire();
  EXPECT_EQ(outbox.NextExpiry(), clock.In(10s));
}

TEST_F(OutboxTest, FailsEverythingInOrder) {
  Add("a");
  Add("b");
  outbox.FailAll(Outcome::Failed(6));
  EXPECT_THAT(settled, ElementsAre(Pair("a", Outcome::Failed(6)), Pair("b", Outcome::Failed(6))));
  EXPECT_THAT(Send(), IsEmpty());
}

TEST_F(OutboxTest, AKeyMayHoldAnEighthOfTheWindow) {
  Outbox wide{Window{32}, clock};
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(wide.HasRoom("slow"));
    wide.Add("slow", "x", clock.In(30s), {});
  }
  EXPECT_FALSE(wide.HasRoom("slow"));
  EXPECT_TRUE(wide.HasRoom("other"));
}

TEST_F(OutboxTest, AFullWindowHasNoRoomForAnyone) {
  for (int i = 0; i < 8; ++i) Add("x", 30s, "k" + std::to_string(i));
  EXPECT_FALSE(outbox.HasRoom("new"));
}

TEST_F(OutboxTest, TakesOffersBeyondTheWindow) {
  for (int i = 0; i < 20; ++i) Add("x");
  EXPECT_EQ(outbox.unsettled(), 20U);
  EXPECT_EQ(Send().size(), 20U);
}

TEST_F(OutboxTest, ResumesOnceWhenTheWindowIsHalfFull) {
  std::vector<OfferSeq> offers;
  for (int i = 0; i < 8; ++i) offers.push_back(Add("x", 30s, "k" + std::to_string(i)));
  int resumed = 0;
  outbox.WhenRoom("new", [&resumed] { ++resumed; });
  for (std::size_t i = 0; i < 3; ++i) outbox.Settle(offers[i], Outcome::Delivered());
  EXPECT_FALSE(outbox.RunResumes());
  EXPECT_EQ(resumed, 0);
  outbox.Settle(offers[3], Outcome::Delivered());
  EXPECT_TRUE(outbox.RunResumes());
  EXPECT_FALSE(outbox.RunResumes());
  EXPECT_EQ(resumed, 1);
}

TEST_F(OutboxTest, ResumesAKeyWhenItsShareIsHalfFull) {
  Outbox wide{Window{32}, clock};
  std::vector<OfferSeq> offers;
  for (int i = 0; i < 4; ++i) offers.push_back(wide.Add("slow", "x", clock.In(30s), {}));
  int resumed = 0;
  wide.WhenRoom("slow", [&resumed] { ++resumed; });
  wide.Settle(offers[0], Outcome::Delivered());
  wide.RunResumes();
  EXPECT_EQ(resumed, 0);
  wide.Settle(offers[1], Outcome::Delivered());
  wide.RunResumes();
  EXPECT_EQ(resumed, 1);
}

TEST_F(OutboxTest, ExpiryMakesRoomToo) {
  for (int i = 0; i < 8; ++i) Add("x", 1s, "k" + std::to_string(i));
  int resumed = 0;
  outbox.WhenRoom("k0", [&resumed] { ++resumed; });
  clock.Advance(1s);
  outbox.Expire();
  outbox.RunResumes();
  EXPECT_EQ(resumed, 1);
}

TEST_F(OutboxTest, StopsResumingWhenTheResumedFillTheWindowAgain) {
  std::vector<std::string> resumed;
  for (const std::string name : {"first", "second"})
    outbox.WhenRoom(name, [this, name, &resumed] {
      resumed.push_back(name);
      for (int i = 0; i < 8; ++i) Add("x", 30s, name + std::to_string(i));
    });
  outbox.RunResumes();
  EXPECT_THAT(resumed, ElementsAre("first"));
  outbox.FailAll(Outcome::Failed(1));
  outbox.RunResumes();
  EXPECT_THAT(resumed, ElementsAre("first", "second"));
}

TEST_F(OutboxTest, AResumedSenderMayWaitAgain) {
  int resumed = 0;
  outbox.WhenRoom("k", [this, &resumed] {
    ++resumed;
    outbox.WhenRoom("k", [&resumed] { ++resumed; });
  });
  outbox.RunResumes();
  EXPECT_EQ(resumed, 1);
  outbox.RunResumes();
  EXPECT_EQ(resumed, 2);
}

TEST_F(OutboxTest, TakesANewOfferFromWithinASettle) {
  const OfferSeq a =
      outbox.Add("k", "a", clock.In(30s), [this](const Outcome&) { Add("after a"); });
  Send();
  outbox.Settle(a, Outcome::Delivered());
  EXPECT_THAT(Send(), ElementsAre(Pair("after a", 1)));
}

TEST_F(OutboxTest, TakesANewOfferFromWithinAnExpiry) {
  outbox.Add("k", "a", clock.In(1s), [this](const Outcome&) { Add("after a"); });
  clock.Advance(1s);
  EXPECT_EQ(outbox.Expire(), 1U);
  EXPECT_EQ(outbox.NextExpiry(), clock.In(30s));
}

TEST_F(OutboxTest, SaysBelowWhatEverythingIsSettled) {
  const OfferSeq a = Add("a");
  const OfferSeq b = Add("b");
  EXPECT_EQ(outbox.settled_below(), a);
  Send();
  outbox.Settle(b, Outcome::Delivered());
  EXPECT_EQ(outbox.settled_below(), a);
  outbox.Settle(a, Outcome::Delivered());
  EXPECT_EQ(outbox.settled_below(), OfferSeq{3});
}

TEST_F(OutboxTest, TellsWhatIsSettledAboveAStalledOfferOnce) {
  Add("stalled");
  const OfferSeq b = Add("b");
  const OfferSeq c = Add("c");
  Send();
  outbox.Settle(c, Outcome::Delivered());
  outbox.Settle(b, Outcome::Delivered());
  EXPECT_THAT(outbox.TakeSettled(1), ElementsAre(c));
  EXPECT_THAT(outbox.TakeSettled(10), ElementsAre(b));
  EXPECT_THAT(outbox.TakeSettled(10), IsEmpty());
}

TEST_F(OutboxTest, DoesNotTellByNumberWhatSettledBelowSays) {
  const OfferSeq a = Add("a");
  Send();
  outbox.Settle(a, Outcome::Delivered());
  EXPECT_THAT(outbox.TakeSettled(10), IsEmpty());
}

}  // namespace
}  // namespace gatehouse::ipc
