#include <gtest/gtest.h>

#include "plugins/acme_client/back_off.h"
#include "plugins/acme_client/challenge_board.h"
#include "plugins/acme_client/renewal_time.h"

namespace gatehouse::acme {
namespace {

AcmeSettings Wanted() {
  AcmeSettings settings;
  settings.names = {"b.example", "a.example"};
  return settings;
}

proto::CertificateView Held() {
  proto::CertificateView held;
  held.set_issued(true);
  held.set_key_type("p-256");
  held.add_names("a.example");
  held.add_names("b.example");
  held.set_not_before_unix(0);
  held.set_not_after_unix(90 * kDay);
  held.set_sha256("0000");
  return held;
}

TEST(BackOff, DoublesFromAnHourToADay) {
  const auto pause = [](unsigned failures) { return PauseAfter(failures, 0.5, {}).count(); };
  EXPECT_EQ(pause(1), 3600);
  EXPECT_EQ(pause(2), 7200);
  EXPECT_EQ(pause(5), 16 * 3600);
  EXPECT_EQ(pause(6), 86'400);
  EXPECT_EQ(pause(4'000'000'000U), 86'400);
}

TEST(BackOff, IsJitteredByATenthAndNeverShorterThanTheCaWants) {
  EXPECT_EQ(PauseAfter(1, 0, {}).count(), 3240);
  EXPECT_EQ(PauseAfter(1, 1, {}).count(), 3960);
  EXPECT_EQ(PauseAfter(1, 1, std::chrono::seconds{100}).count(), 3960);
  EXPECT_EQ(PauseAfter(1, 1, std::chrono::seconds{9000}).count(), 9000);
  EXPECT_EQ(PauseAfter(1, 1, std::chrono::seconds{400 * kDay}).count(), 7 * kDay);
}

TEST(BackOff, OfWhatTheEngineCouldNotTakeDoublesToAMinute) {
  std::chrono::seconds pause{0};
  for (const int expected : {2, 4, 8, 16, 32, 60, 60}) {
    pause = OfferPause(pause);
    EXPECT_EQ(pause.count(), expected);
  }
}

TEST(RenewalTime, IsWhenAThirdIsLeftOrATenthOfThatLater) {
  EXPECT_EQ(RenewalTime(0, 90 * kDay, "0000"), 60 * kDay);
  const std::int64_t late = RenewalTime(0, 90 * kDay, "ffff");
  EXPECT_GT(late, 62 * kDay);
  EXPECT_LE(late, 63 * kDay);
  EXPECT_EQ(RenewalTime(10, 5, "0000"), 5);
}

TEST(RenewalTime, IsAtOnceWithoutOneOrForOthersThanAreWanted) {
  EXPECT_EQ(DueAt(nullptr, Wanted(), {}), 0);
  proto::CertificateView held = Held();
  EXPECT_EQ(DueAt(&held, Wanted(), {}), 60 * kDay);
  AcmeSettings more = Wanted();
  more.names.emplace_back("c.example");
  EXPECT_EQ(DueAt(&held, more, {}), 0);
  AcmeSettings other = Wanted();
  other.key = KeyType::kRsa2048;
  EXPECT_EQ(DueAt(&held, other, {}), 0);
  held.set_issued(false);
  EXPECT_EQ(DueAt(&held, Wanted(), {}), 0);
}

// A CA may add names of its own; that is no reason to ask it again and again.
TEST(RenewalTime, OfOneWeGotCountsWhatWasWantedThen) {
  proto::CertificateView held = Held();
  held.add_names("www.a.example");
  EXPECT_EQ(DueAt(&held, Wanted(), {}), 0);
  proto::AcmeMemory memory;
  memory.set_issued_sha256("0000");
  memory.set_issued_for(Wanted().WhatIsWanted());
  EXPECT_EQ(DueAt(&held, Wanted(), memory), 60 * kDay);
  AcmeSettings other = Wanted();
  other.key = KeyType::kP384;
  EXPECT_EQ(DueAt(&held, other, memory), 0);
}

TEST(RenewalTime, OneThatEndsBeforeItCouldBeRenewedIsTooShort) {
  proto::CertificateView held = Held();
  held.set_not_before_unix(1000);
  for (const auto& [life, too_short] :
       {std::pair{0L, true}, {45L, true}, {3600L, true}, {5000L, true}, {3 * 3600L, false}}) {
    held.set_not_after_unix(1000 + life);
    EXPECT_EQ(IsTooShort(held, 1000), too_short) << life;
  }
}

TEST(RenewalTime, IsAtOnceWhereAnotherCaIsToIssueIt) {
  proto::CertificateView held = Held();
  proto::AcmeMemory memory;
  memory.set_issued_sha256("0000");
  memory.set_issued_for(Wanted().WhatIsWanted());
  AcmeSettings moved = Wanted();
  moved.directory = "https://other.example/directory";
  EXPECT_EQ(DueAt(&held, moved, memory), 0);
  EXPECT_EQ(DueAt(&held, Wanted(), memory), 60 * kDay);
  memory.Clear();  // whose it is nobody knows
  memory.set_directory_changed(true);
  EXPECT_EQ(DueAt(&held, moved, memory), 0);
  memory.clear_directory_changed();  // imported by hand
  EXPECT_EQ(DueAt(&held, moved, memory), 60 * kDay);
}

TEST(RenewalTime, OfAWrongClockIsAWeekFromNowAtTheLatest) {
  EXPECT_EQ(WithinAWeek(50, 100), 50);
  EXPECT_EQ(WithinAWeek(100 + 7 * kDay, 100), 100 + 7 * kDay);
  EXPECT_EQ(WithinAWeek(100 + 4000 * kDay, 100), 100 + 7 * kDay);
}

TEST(RenewalTime, AFailureIsUrgentNearTheEndOrAfterADayWithoutAny) {
  proto::CertificateView held = Held();
  proto::AcmeMemory memory;
  memory.set_failing_since_unix(10 * kDay);
  EXPECT_FALSE(IsUrgent(&held, memory, 83 * kDay));
  EXPECT_TRUE(IsUrgent(&held, memory, 83 * kDay + 1));
  EXPECT_FALSE(IsUrgent(nullptr, memory, 11 * kDay - 1));
  EXPECT_TRUE(IsUrgent(nullptr, memory, 11 * kDay));
  memory.clear_failing_since_unix();
  EXPECT_FALSE(IsUrgent(nullptr, memory, 11 * kDay));
}

TEST(ChallengeBoard, ShowsItsTokensAndNothingElse) {
  ChallengeBoard board;
  board.Put("tok", "content");
  EXPECT_EQ(board.Find("/.well-known/acme-challenge/tok"), "content");
  for (const char* other :
       {"/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/tok/",
        "/.well-known/acme-challenge/tok?x", "/.well-known/acme-challenge/../tok",
        "/x/.well-known/acme-challenge/tok"})
    EXPECT_FALSE(board.Find(other)) << other;
  board.Take("tok");
  EXPECT_FALSE(board.Find("/.well-known/acme-challenge/tok"));
}

}  // namespace
}  // namespace gatehouse::acme
