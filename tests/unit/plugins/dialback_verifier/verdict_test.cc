#include <gtest/gtest.h>

#include "plugins/dialback_verifier/domain_prover.h"
#include "plugins/dialback_verifier/rate_limit.h"
#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

TEST(DialbackVerdict, OfAnAnswerIsTheOneOfTheTable) {
  EXPECT_EQ(VerdictOf(VerifyResult::kValid), proto::DIALBACK_VALID);
  EXPECT_EQ(VerdictOf(VerifyResult::kInvalid), proto::DIALBACK_INVALID);
  EXPECT_EQ(VerdictOf(VerifyResult::kNotFound), proto::DIALBACK_NOT_FOUND);
  EXPECT_EQ(VerdictOf(VerifyResult::kError), proto::DIALBACK_TIMEOUT);
}

TEST(DialbackVerdict, WithoutAnAnswerIsTheOneOfTheTable) {
  EXPECT_EQ(VerdictOf(OutboundFailure::kNotFound), proto::DIALBACK_NOT_FOUND);
  EXPECT_EQ(VerdictOf(StreamErrorFault("host-unknown").failure), proto::DIALBACK_NOT_FOUND);
  EXPECT_EQ(VerdictOf(OutboundFailure::kConnectFailed), proto::DIALBACK_CONNECTION_FAILED);
  EXPECT_EQ(VerdictOf(OutboundFailure::kClosed), proto::DIALBACK_TIMEOUT);
  EXPECT_EQ(VerdictOf(OutboundFailure::kTimedOut), proto::DIALBACK_TIMEOUT);
  EXPECT_EQ(VerdictOf(OutboundFailure::kTlsFailed), proto::DIALBACK_TIMEOUT);
  EXPECT_EQ(VerdictOf(StreamErrorFault("undefined-condition").failure), proto::DIALBACK_TIMEOUT);
}

TEST(RateLimit, AllowsABurstAndThenTheRate) {
  FakeClock clock;
  RateLimit limit(2, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Take(clock.Now()));
  EXPECT_FALSE(limit.Take(clock.Now()));
  clock.Advance(500ms);
  EXPECT_TRUE(limit.Take(clock.Now()));
  EXPECT_FALSE(limit.Take(clock.Now()));
  clock.Advance(1h);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Take(clock.Now()));
  EXPECT_FALSE(limit.Take(clock.Now()));
}

}  // namespace
}  // namespace gatehouse
