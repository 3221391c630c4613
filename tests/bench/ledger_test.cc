#include "tests/bench/ledger.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse::bench {
namespace {

TEST(Mark, IsFoundByItsLetter) {
  const std::string text = "x " + Mark('b', 12) + " y " + Mark('x', 4711) + " z";
  EXPECT_EQ(FindMark(text, 'x'), 4711U);
  EXPECT_EQ(FindMark(text, 'b'), 12U);
  EXPECT_EQ(FindMark(text, 's'), std::nullopt);
  EXPECT_EQ(FindMark(":ghb12", 'b'), std::nullopt);
  EXPECT_EQ(FindMark(":ghb0000001x", 'b'), std::nullopt);
}

TEST(Ledger, SeesLossesDuplicatesAndWrongOrder) {
  FakeClock clock;
  Ledger ledger(2);
  const auto first = ledger.Send(0, clock.Now());
  const auto second = ledger.Send(0, clock.Now());
  const auto other = ledger.Send(1, clock.Now());
  const auto refused = ledger.Send(1, clock.Now());
  ledger.Send(1, clock.Now());  // never heard of again
  EXPECT_EQ(ledger.Arrived(second, clock.Now()), 0U);
  EXPECT_EQ(ledger.Arrived(first, clock.Now()), 0U);
  EXPECT_EQ(ledger.Arrived(first, clock.Now()), std::nullopt);
  EXPECT_EQ(ledger.Arrived(other, clock.Now()), 1U);
  EXPECT_EQ(ledger.Refused(refused), 1U);
  EXPECT_EQ(ledger.in_flight(), 1U);
  const Tally tally = ledger.TakeTally();
  EXPECT_EQ(tally.sent, 5U);
  EXPECT_EQ(tally.delivered, 3U);
  EXPECT_EQ(tally.refused, 1U);
  EXPECT_EQ(tally.lost, 1U);
  EXPECT_EQ(tally.duplicates, 1U);
  EXPECT_EQ(tally.out_of_order, 1U);
}

TEST(Ledger, MeasuresOnlyWithinTheSpan) {
  FakeClock clock;
  Ledger ledger(1);
  const auto warm_up = ledger.Send(0, clock.Now());
  ledger.Arrived(warm_up, clock.Now());
  ledger.StartMeasuring();
  const auto slow = ledger.Send(0, clock.Now());
  const auto fast = ledger.Send(0, clock.In(milliseconds(6)));
  clock.Advance(milliseconds(7));
  ledger.Arrived(slow, clock.Now());
  ledger.Arrived(fast, clock.Now());
  ledger.StopMeasuring();
  const Tally tally = ledger.TakeTally();
  EXPECT_EQ(tally.delivered, 3U);
  EXPECT_EQ(tally.delivered_measured, 2U);
  EXPECT_EQ(tally.latencies_us, (std::vector<std::uint32_t>{1000, 7000}));
}

TEST(Ledger, ALateMessageBelongsToNoLaterPhase) {
  FakeClock clock;
  Ledger ledger(1);
  const auto late = ledger.Send(0, clock.Now());
  EXPECT_EQ(ledger.TakeTally().lost, 1U);
  EXPECT_EQ(ledger.Arrived(late, clock.Now()), std::nullopt);
  EXPECT_EQ(ledger.TakeTally().delivered, 0U);
}

}  // namespace
}  // namespace gatehouse::bench
