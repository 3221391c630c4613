#include "plugins/policy_engine/sweep_clock.h"

#include <gtest/gtest.h>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/store.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Both clocks, which go on together until the wall clock is set.
class SweepClockTest : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;
  static constexpr std::int64_t kDay = 86'400;

  // So long, with a reading every 10 s; gives the last one.
  std::int64_t Go(std::chrono::seconds time) {
    std::int64_t read = SweepClock::kNothingHasEnded;
    for (seconds gone{0}; gone < time; gone += seconds{10}) {
      since_boot_ += seconds{10};
      wall_ += 10;
      read = Read();
    }
    return read;
  }
  std::int64_t Read() { return sweep_clock_.Read(wall_, since_boot_); }
  // Another process goes on.
  void Restart() { sweep_clock_ = SweepClock(sweep_clock_.readings(), since_boot_); }

  seconds since_boot_{500'000};
  std::int64_t wall_ = kNow;
  SweepClock sweep_clock_;
};

TEST_F(SweepClockTest, NothingHasEndedInTheFirstHour) {
  EXPECT_EQ(Read(), SweepClock::kNothingHasEnded);
  EXPECT_EQ(Go(minutes{59}), SweepClock::kNothingHasEnded);
  EXPECT_EQ(Go(minutes{1}), kNow);
}

TEST_F(SweepClockTest, ItIsAnHourBehindAClockThatGoesRight) {
  Go(hours{5});
  EXPECT_GE(Read(), wall_ - 3600 - 300);
  EXPECT_LE(Read(), wall_ - 3600);
}

TEST_F(SweepClockTest, AJumpAheadIsBelievedAfterAnHour) {
  Go(hours{2});
  const std::int64_t before = wall_;
  wall_ += 31 * kDay;
  EXPECT_LE(Go(minutes{59}), before);
  EXPECT_GT(Go(minutes{2}), before + 30 * kDay);
}

TEST_F(SweepClockTest, AJumpBackIsBelievedAtOnce) {
  Go(hours{2});
  wall_ -= 31 * kDay;
  EXPECT_EQ(Read(), wall_);
}

TEST_F(SweepClockTest, AProcessThatStoodStillDoesNotBelieveTheFirstTimeItSeesAfterwards) {
  Go(hours{2});
  const std::int64_t before = wall_;
  since_boot_ += hours{3};
  wall_ += 31 * kDay;
  EXPECT_LE(Read(), before);
  EXPECT_LE(Go(minutes{59}), before);
}

TEST_F(SweepClockTest, ProcessesThatLiveForMinutesOnlyFindTheHourTogether) {
  std::int64_t read = SweepClock::kNothingHasEnded;
  for (seconds gone{0}; gone < minutes{59}; gone += minutes{2}) {
    read = Go(minutes{2});
    Restart();
  }
  EXPECT_EQ(read, SweepClock::kNothingHasEnded);
  Go(minutes{2});
  EXPECT_EQ(Read(), kNow + 10);
}

TEST_F(SweepClockTest, AProcessThatBeginsInAJumpDoesNotBelieveIt) {
  Go(hours{2});
  const std::int64_t before = wall_;
  since_boot_ += minutes{20};
  wall_ += 31 * kDay;
  Restart();
  EXPECT_LE(Go(minutes{59}), before);
  EXPECT_GT(Go(minutes{7}), before + 30 * kDay);
}

TEST_F(SweepClockTest, ReadingsThatCannotBeOfThisStartOfTheMachineAreNotBelieved) {
  Go(hours{2});
  since_boot_ = seconds{100};
  Restart();
  EXPECT_EQ(Go(minutes{59}), SweepClock::kNothingHasEnded);
}

TEST_F(SweepClockTest, HowMuchIsRememberedHasAnEnd) {
  Go(hours{20});
  EXPECT_LE(sweep_clock_.readings().size(), 14U);
}

TEST_F(SweepClockTest, ContactsOutliveAClockThatIsAMonthAheadForAWhile) {
  constexpr std::int64_t kTtl = 30 * kDay;
  ScratchFolder folder;
  Store store = *Store::Open(folder.File("policy.db"));
  AuditEntry entry;
  proto::Partner partner = DefaultPartner();
  partner.set_id("1");
  partner.set_domain("partner.example");
  *entry.changes.emplace_back().mutable_after()->mutable_partner() = partner;
  ASSERT_TRUE(store.Write(std::move(entry)).has_value());
  const ContactPair pair{"ann@contoso.example", "romeo@partner.example"};
  Go(hours{2});
  ASSERT_TRUE(store.SeeContacts(std::span(&pair, 1), {wall_, kTtl}).has_value());
  wall_ += 31 * kDay;
  ASSERT_TRUE(store.SweepContacts({Read(), kTtl}).has_value());
  EXPECT_FALSE(store.FindContact(pair, {wall_, kTtl})->has_value()) << "it is refused meanwhile";
  ASSERT_TRUE(store.SweepContacts({Go(minutes{30}), kTtl}).has_value());
  wall_ -= 31 * kDay;
  EXPECT_TRUE(store.FindContact(pair, {wall_, kTtl})->has_value());
  wall_ += 31 * kDay;
  ASSERT_TRUE(store.SweepContacts({Go(minutes{61}), kTtl}).has_value());
  wall_ -= 31 * kDay;
  EXPECT_FALSE(store.FindContact(pair, {wall_, kTtl})->has_value()) << "it has been swept";
}

}  // namespace
}  // namespace gatehouse::policy_engine
