#include "core/policy/downgrade_guard.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

TEST(DowngradeGuard, LetsAPartnerGoClearThatNeverHadTls) {
  EXPECT_TRUE(MayGoClear(proto::Partner(), kNow));
}

TEST(DowngradeGuard, HoldsForThirtyDays) {
  proto::Partner partner;
  partner.set_tls_seen_unix(kNow);
  EXPECT_FALSE(MayGoClear(partner, kNow));
  EXPECT_FALSE(MayGoClear(partner, kNow + 30 * 86400 - 1));
  EXPECT_TRUE(MayGoClear(partner, kNow + 30 * 86400));
  EXPECT_EQ(ClearRefusedUntil(kNow, kNow + 5), kNow + 30 * 86400);
}

TEST(DowngradeGuard, HoldsWhenTheClockWasSetBack) {
  proto::Partner partner;
  partner.set_tls_seen_unix(kNow);
  EXPECT_FALSE(MayGoClear(partner, kNow - 86400));
}

}  // namespace
}  // namespace gatehouse
