#include "plugins/acme_client/acme_words.h"

#include <gtest/gtest.h>

namespace gatehouse::acme {
namespace {

TEST(AcmeWords, AProblemIsOneSentenceWithoutControls) {
  proto::AcmeProblem problem;
  problem.set_type("urn:ietf:params:acme:error:malformed");
  problem.set_detail("a\x1b[31mb\nc");
  EXPECT_EQ(ProblemText(problem), "a [31mb c (malformed)");
  EXPECT_EQ(RefusalText(502, "<html>"), "HTTP status 502");
  problem.set_detail(std::string(5000, 'x'));
  EXPECT_LE(ProblemText(problem).size(), 620U);
}

TEST(AcmeWords, JsonIsBounded) {
  proto::AcmeProblem problem;
  EXPECT_TRUE(ReadJson(R"({"type":"x","new":{"a":[1,2]},"status":400})", problem));
  EXPECT_FALSE(ReadJson(std::string(100'000, '['), problem));
  EXPECT_FALSE(ReadJson(R"({"type":")" + std::string(kMaxJsonBytes, 'a') + R"("})", problem));
  EXPECT_FALSE(ReadJson(R"({"type":{"a":1}})", problem));
  EXPECT_FALSE(ReadJson("", problem));
}

TEST(AcmeWords, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(RetryAfter("120", 0).count(), 120);
  EXPECT_EQ(RetryAfter("Thu, 01 Jan 1970 00:10:00 GMT", 60).count(), 540);
  EXPECT_EQ(RetryAfter("Thu, 01 Jan 1970 00:10:00 GMT", 6000).count(), 0);
  EXPECT_EQ(RetryAfter("99999999999", 0).count(), 7 * 86400);
  for (const char* bad : {"", "-5", "soon", "12 minutes"})
    EXPECT_EQ(RetryAfter(bad, 0).count(), 0) << bad;
}

}  // namespace
}  // namespace gatehouse::acme
