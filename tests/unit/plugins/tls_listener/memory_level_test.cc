#include "plugins/tls_listener/memory_level.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using enum MemoryLevel;

TEST(MemoryLevel, RisesAtFourFifthsAndAtNineteenTwentieths) {
  EXPECT_EQ(MemoryLevelOf(799, 1000, kCalm), kCalm);
  EXPECT_EQ(MemoryLevelOf(800, 1000, kCalm), kHigh);
  EXPECT_EQ(MemoryLevelOf(949, 1000, kHigh), kHigh);
  EXPECT_EQ(MemoryLevelOf(950, 1000, kCalm), kFull);
  EXPECT_EQ(MemoryLevelOf(5000, 1000, kCalm), kFull);
}

TEST(MemoryLevel, FallsOnlyOnceSomeIsFreeAgain) {
  EXPECT_EQ(MemoryLevelOf(799, 1000, kHigh), kHigh);
  EXPECT_EQ(MemoryLevelOf(750, 1000, kFull), kHigh);
  EXPECT_EQ(MemoryLevelOf(749, 1000, kFull), kCalm);
}

TEST(MemoryLevel, KnowsNoCapOfNothing) {
  EXPECT_EQ(MemoryLevelOf(1, 0, kCalm), kCalm);
}

}  // namespace
}  // namespace gatehouse
