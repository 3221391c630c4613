#include "core/base/time_word.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace gatehouse {
namespace {

constexpr std::uint64_t kLastOfJanuary = 1'801'353'600;

TEST(TimeWord, IsRfc3339InUtc) {
  EXPECT_EQ(TimeWord(kLastOfJanuary), "2027-01-31T00:00:00Z");
  EXPECT_EQ(TimeWord(1), "1970-01-01T00:00:01Z");
  EXPECT_EQ(TimeWord(0), "never");
  EXPECT_EQ(TimeWord(253'402'300'799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(TimeWord(253'402'300'800), "253402300800");
}

TEST(TimeWord, IsReadAsWhatItWasWrittenOf) {
  for (const std::uint64_t unix_s :
       {0ULL, 1ULL, 951'782'399ULL, 4'107'542'399ULL, 253'402'300'799ULL, ~0ULL})
    EXPECT_EQ(ParseTimeWord(TimeWord(unix_s)), unix_s);
}

TEST(ParseTimeWord, TakesADayATimeAndADistanceFromUtc) {
  ::setenv("TZ", "America/New_York", 1);
  ::tzset();
  EXPECT_EQ(ParseTimeWord("2027-01-31"), kLastOfJanuary);
  EXPECT_EQ(ParseTimeWord("2027-01-31T18:00Z"), kLastOfJanuary + 18 * 3600);
  EXPECT_EQ(ParseTimeWord("2027-01-31T18:00:30Z"), kLastOfJanuary + 18 * 3600 + 30);
  EXPECT_EQ(ParseTimeWord("2027-01-31T01:00:00+01:00"), kLastOfJanuary);
  EXPECT_EQ(ParseTimeWord("2027-01-30T18:30-05:30"), kLastOfJanuary);
  EXPECT_EQ(ParseTimeWord("1801353600"), kLastOfJanuary);
  EXPECT_EQ(ParseTimeWord("never"), 0U);
  ::unsetenv("TZ");
  ::tzset();
}

TEST(ParseTimeWord, TakesNothingElse) {
  for (const char* wrong :
       {"", "tomorrow", "2027-02-30", "2027-01-31T25:00Z", "2027-01-31T10:00:00+25:00",
        "2027-01-31T10:00:00-24:00", " 2027-01-31", "2027-01-31T18:00", "31.1.2027", "1969-12-31",
        "1970-01-01T00:30+01:00", "-1", "99999999999999999999", "2027-01-31 "})
    EXPECT_FALSE(ParseTimeWord(wrong)) << wrong;
}

}  // namespace
}  // namespace gatehouse
