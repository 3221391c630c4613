#include <gmock/gmock.h>

#include "plugins/tls_listener/outbound_back_off.h"
#include "plugins/tls_listener/outbound_outcome.h"
#include "plugins/tls_listener/outbound_queue.h"
#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// The middle of every range.
RandomBelow Middle() {
  return [](std::uint32_t below) { return below / 2; };
}
OutboundFault Fault(RetryClass retry) {
  return {OutboundFailure::kConnectFailed, retry, "x"};
}

TEST(OutboundBackOff, WaitsARandomPartOfTenSecondsFirst) {
  FakeClock clock;
  OutboundBackOff back_off(Middle());
  EXPECT_EQ(back_off.Remaining(clock.Now()), 0ms);
  back_off.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
  EXPECT_EQ(back_off.Remaining(clock.Now()), 5s);
  clock.Advance(5s);
  EXPECT_EQ(back_off.Remaining(clock.Now()), 0ms);
}

TEST(OutboundBackOff, DoublesFromTenSecondsToTenMinutes) {
  FakeClock clock;
  OutboundBackOff back_off(Middle());
  std::vector<seconds> waits;
  for (int i = 0; i < 9; ++i) {
    back_off.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
    waits.push_back(std::chrono::round<seconds>(back_off.Remaining(clock.Now())));
  }
  EXPECT_THAT(waits, ElementsAre(5s, 10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s));
}

TEST(OutboundBackOff, VariesByHalf) {
  FakeClock clock;
  OutboundBackOff least([](std::uint32_t) { return 0U; });
  OutboundBackOff most([](std::uint32_t below) { return below - 1; });
  for (int i = 0; i < 2; ++i) {
    least.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
    most.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
  }
  EXPECT_EQ(least.Remaining(clock.Now()), 5s);
  EXPECT_EQ(most.Remaining(clock.Now()), 15s);
}

TEST(OutboundBackOff, HasAStartOfItsOwnForEachClass) {
  FakeClock clock;
  const auto wait = [&](RetryClass retry) {
    OutboundBackOff back_off(Middle());
    back_off.OnFailed(Fault(retry), clock.Now());
    return std::chrono::round<seconds>(back_off.Remaining(clock.Now()));
  };
  EXPECT_EQ(wait(RetryClass::kConfigured), 60s);
  EXPECT_EQ(wait(RetryClass::kDomainGone), 300s);
  EXPECT_EQ(wait(RetryClass::kSoon), 5s);
  EXPECT_EQ(wait(RetryClass::kAtOnce), 0s);
}

TEST(OutboundBackOff, IsForgottenAfterAMinuteOfLife) {
  FakeClock clock;
  OutboundBackOff back_off(Middle());
  for (int i = 0; i < 5; ++i) back_off.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
  back_off.OnOpened(clock.Now());
  clock.Advance(60s);
  back_off.OnLost(Fault(RetryClass::kOrdinary), clock.Now());
  EXPECT_EQ(back_off.Remaining(clock.Now()), 0ms);
  back_off.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
  EXPECT_EQ(back_off.Remaining(clock.Now()), 5s);
}

TEST(OutboundBackOff, GrowsWhenAStreamDiesYoung) {
  FakeClock clock;
  OutboundBackOff back_off(Middle());
  back_off.OnFailed(Fault(RetryClass::kOrdinary), clock.Now());
  back_off.OnOpened(clock.Now());
  EXPECT_EQ(back_off.Remaining(clock.Now()), 0ms);
  clock.Advance(59s);
  back_off.OnLost(Fault(RetryClass::kOrdinary), clock.Now());
  EXPECT_EQ(std::chrono::round<seconds>(back_off.Remaining(clock.Now())), 10s);
}

TEST(OutcomeOf, CarriesConditionTextAndWait) {
  const ipc::Outcome outcome =
      OutcomeOf({OutboundFailure::kDnsTrouble, {}, "SRV lookup failed"}, 7s);
  EXPECT_EQ(outcome.kind, ipc::OutcomeKind::kFailed);
  EXPECT_EQ(outcome.condition, static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_EQ(outcome.text, "SRV lookup failed");
  EXPECT_EQ(outcome.retry_after, 7s);
}

TEST(OutcomeOf, NamesAFailedNegotiation) {
  EXPECT_EQ(OutcomeOf({OutboundFailure::kNegotiation, {}, "peer offers no TLS"}).text,
            "negotiation failed: peer offers no TLS");
}

TEST(OutcomeOf, AsksForAPauseUnderOverload) {
  EXPECT_GT(OutcomeOf({OutboundFailure::kOverload, {}, "full"}).retry_after, 0ms);
}

TEST(OutcomeOf, KeepsItsTextShort) {
  EXPECT_EQ(OutcomeOf({OutboundFailure::kClosed, {}, std::string(1000, 'x')}).text.size(), 256U);
}

class OutboundQueueTest : public ::testing::Test {
 protected:
  ipc::Ticket Ticket(const std::string& name) {
    return {[this, name](const ipc::Outcome& outcome) {
              settled_.push_back(
                  name + (outcome.kind == ipc::OutcomeKind::kExpired ? ":expired" : ":failed"));
            },
            0};
  }
  bool Push(const std::string& name, milliseconds lives, std::size_t bytes = 1) {
    OutboundQueue::Entry entry{std::string(bytes, 'x'), clock_.In(lives), Ticket(name)};
    const bool taken = queue_.Push(entry, clock_.Now());
    if (!taken) entry.ticket.Settle(ipc::Outcome::Failed(0));
    return taken;
  }
  FakeClock clock_;
  OutboundQueue queue_;
  std::vector<std::string> settled_;
};

TEST_F(OutboundQueueTest, HoldsAHundredStanzas) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Push("s", 10s));
  EXPECT_FALSE(Push("late", 10s));
  EXPECT_THAT(settled_, ElementsAre("late:failed"));
  queue_.Pop().ticket.Settle(ipc::Outcome::Expired());
  EXPECT_TRUE(Push("again", 10s));
  queue_.SettleAll(ipc::Outcome::Failed(0));
}

TEST_F(OutboundQueueTest, HoldsOneMebibyte) {
  ASSERT_TRUE(Push("a", 10s, 1048576));
  EXPECT_FALSE(Push("b", 10s, 1));
  queue_.SettleAll(ipc::Outcome::Failed(0));
  EXPECT_TRUE(Push("c", 10s, 1));
  queue_.SettleAll(ipc::Outcome::Failed(0));
}

TEST_F(OutboundQueueTest, ExpiresEachAtItsOwnTimeAndNoneAfterAMinute) {
  ASSERT_TRUE(Push("long", 3600s));
  ASSERT_TRUE(Push("short", 5s));
  clock_.Advance(5s);
  queue_.Expire(clock_.Now());
  EXPECT_THAT(settled_, ElementsAre("short:expired"));
  clock_.Advance(55s);
  queue_.Expire(clock_.Now());
  EXPECT_THAT(settled_, ElementsAre("short:expired", "long:expired"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(OutboundQueueTest, KeepsTheOrder) {
  ASSERT_TRUE(Push("a", 10s));
  ASSERT_TRUE(Push("b", 10s));
  queue_.Pop().ticket.Settle(ipc::Outcome::Failed(0));
  queue_.Pop().ticket.Settle(ipc::Outcome::Failed(0));
  EXPECT_THAT(settled_, ElementsAre("a:failed", "b:failed"));
}

}  // namespace
}  // namespace gatehouse
