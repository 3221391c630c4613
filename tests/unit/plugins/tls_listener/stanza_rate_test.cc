#include "plugins/tls_listener/stanza_rate.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

TEST(StanzaRate, LetsABurstThroughAndThenAsksForAPause) {
  FakeClock clock;
  StanzaRate rate(50, 200);
  for (int i = 0; i < 199; ++i) rate.Take(clock.Now());
  EXPECT_FALSE(rate.exhausted());
  rate.Take(clock.Now());
  EXPECT_TRUE(rate.exhausted());
}

TEST(StanzaRate, SustainsItsRateOverPauses) {
  FakeClock clock;
  StanzaRate rate(50, 200);
  int taken = 0;
  const TimePoint end = clock.In(seconds{100});
  while (clock.Now() < end) {
    while (!rate.exhausted()) {
      rate.Take(clock.Now());
      ++taken;
    }
    clock.Advance(rate.Pause());
    rate.Take(clock.Now());
    ++taken;
  }
  EXPECT_NEAR(taken, 200 + 50 * 100, 60);
}

TEST(StanzaRate, PausesLongerForWhatWasReadBeyondIt) {
  FakeClock clock;
  StanzaRate rate(50, 200);
  for (int i = 0; i < 300; ++i) rate.Take(clock.Now());
  EXPECT_GE(rate.Pause(), seconds{2});
  EXPECT_LE(rate.Pause(), milliseconds{2200});
}

TEST(StanzaRate, CallsTenTimesTheRateForTenSecondsAFlood) {
  FakeClock clock;
  StanzaRate rate(2, 4);
  for (int i = 0; i < 199; ++i) rate.Take(clock.Now());
  EXPECT_FALSE(rate.is_flood());
  rate.Take(clock.Now());
  EXPECT_TRUE(rate.is_flood());
}

TEST(StanzaRate, CountsAFloodAnewAfterTenSeconds) {
  FakeClock clock;
  StanzaRate rate(2, 4);
  for (int i = 0; i < 199; ++i) rate.Take(clock.Now());
  clock.Advance(seconds{10});
  rate.Take(clock.Now());
  EXPECT_FALSE(rate.is_flood());
}

}  // namespace
}  // namespace gatehouse
