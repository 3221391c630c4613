#include "plugins/acme_client/attempt_limits.h"

#include <gtest/gtest.h>

namespace gatehouse::acme {
namespace {

TEST(AttemptLimits, OneWaitForRecordsIsSharedByAllNames) {
  RecordPatience patience;
  EXPECT_EQ(patience.ForNext(), seconds{120});
  patience.Spent(seconds{40});
  EXPECT_EQ(patience.ForNext(), seconds{80});
  patience.Spent(seconds{90});
  EXPECT_EQ(patience.ForNext(), seconds{5});
}

TEST(AttemptLimits, TheCasUrlsLeadInsideOnlyWhereItsDirectoryIsInside) {
  const SocketAddress outside = *SocketAddress::FromIp("192.0.2.1", 443);
  CaTargets of_the_internet(false);
  EXPECT_TRUE(of_the_internet.MayGo(outside, true));
  EXPECT_TRUE(of_the_internet.MayGo(outside, false));
  for (const char* inside : {"127.0.0.1", "::1", "169.254.169.254", "fe80::1", "0.0.0.0"})
    EXPECT_FALSE(of_the_internet.MayGo(*SocketAddress::FromIp(inside, 443), false)) << inside;
  const SocketAddress here = *SocketAddress::FromIp("127.0.0.1", 443);
  CaTargets of_ours(false);
  EXPECT_TRUE(of_ours.MayGo(here, true));
  EXPECT_TRUE(of_ours.MayGo(here, false));
  EXPECT_TRUE(CaTargets(true).MayGo(here, false));
}

TEST(AttemptLimits, EachNameAddsToTheTimeOfTheAttempt) {
  EXPECT_EQ(AttemptLimit(0), seconds{900});
  EXPECT_EQ(AttemptLimit(1), seconds{900});
  EXPECT_EQ(AttemptLimit(11), seconds{1800});
}

}  // namespace
}  // namespace gatehouse::acme
