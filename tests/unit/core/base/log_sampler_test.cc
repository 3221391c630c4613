#include "core/base/log_sampler.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

TEST(LogSampler, LeavesOutWhatOnePeerSaysTooOften) {
  FakeClock clock;
  LogSampler sampler(clock);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sampler.Admit("partner.example"), 0);
  EXPECT_FALSE(sampler.Admit("partner.example"));
  EXPECT_FALSE(sampler.Admit("partner.example"));
  EXPECT_EQ(sampler.Admit("other.example"), 0);
  clock.Advance(seconds{1});
  EXPECT_EQ(sampler.Admit("partner.example"), 2);
  EXPECT_EQ(sampler.Admit("partner.example"), 0);
}

TEST(LogSampler, TakesAnotherSpanThanASecond) {
  FakeClock clock;
  LogSampler sampler(clock, seconds{60});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sampler.Admit("stranger"), 0);
  clock.Advance(seconds{59});
  EXPECT_FALSE(sampler.Admit("stranger"));
  clock.Advance(seconds{1});
  EXPECT_EQ(sampler.Admit("stranger"), 1);
}

}  // namespace
}  // namespace gatehouse
