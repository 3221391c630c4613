// What outlives a process of the sweep of contacts.
#include "plugins/policy_engine/sweep_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/store.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kTtl = 3200;
constexpr ContactClock kLater{kNow + kTtl, kTtl};

class SweepMemoryTest : public testing::Test {
 protected:
  SweepMemoryTest() : store_(*Store::Open(file_)) {
    AuditEntry entry;
    proto::Partner partner = DefaultPartner();
    partner.set_id("1");
    partner.set_domain("partner.example");
    *entry.changes.emplace_back().mutable_after()->mutable_partner() = partner;
    EXPECT_TRUE(store_.Write(std::move(entry)).has_value());
  }
  void See(const std::string& user, const std::string& contact = "romeo@partner.example") {
    const ContactPair pair{user + "@contoso.example", contact};
    EXPECT_TRUE(store_.SeeContacts(std::span(&pair, 1), {kNow, kTtl})->front().has_value());
  }
  void SeeMany() {
    std::vector<ContactPair> pairs;
    for (std::size_t i = 0; i < ContactTable::kPortion + 10; ++i)
      pairs.push_back({"u" + std::to_string(i) + "@contoso.example", "c@partner.example"});
    ASSERT_TRUE(store_.SeeContacts(pairs, {kNow, kTtl}).has_value());
  }
  std::string InFile(const std::string& sql) { return *SqliteDatabase::Open(file_)->One(sql); }

  const SweepClock::Readings readings_ = {{kNow, std::chrono::seconds(100)},
                                          {kNow + 300, std::chrono::seconds(400)}};
  ScratchFolder folder_;
  const std::string file_ = folder_.File("policy.db");
  Store store_;
};

TEST_F(SweepMemoryTest, WhatWasReadIsThereForTheNextProcessAndForNoOtherStartOfAMachine) {
  ASSERT_TRUE(store_.KeepSweep("boot 1", readings_).has_value());
  store_ = *Store::Open(file_);
  EXPECT_EQ(*store_.ResumeSweep("boot 1"), readings_);
  EXPECT_THAT(*store_.ResumeSweep("boot 2"), testing::IsEmpty());
  ASSERT_TRUE(store_.KeepSweep("boot 2", {readings_[1]}).has_value());
  EXPECT_THAT(*store_.ResumeSweep("boot 2"), testing::ElementsAre(readings_[1]));
  EXPECT_THAT(*store_.ResumeSweep("boot 1"), testing::IsEmpty()) << "nobody needs them any more";
}

TEST_F(SweepMemoryTest, TheNextProcessSweepsWhatTheOneBeforeHasNotComeTo) {
  See("ann");
  SeeMany();
  ASSERT_TRUE(store_.SweepContacts({kNow, kTtl}).has_value());  // a portion; nothing has ended
  ASSERT_TRUE(store_.KeepSweep("boot", readings_).has_value());
  store_ = *Store::Open(file_);
  ASSERT_TRUE(store_.ResumeSweep("boot").has_value());
  ASSERT_TRUE(store_.SweepContacts(kLater).has_value());
  EXPECT_EQ(InFile("SELECT count(*) FROM contact"), "10000") << "those it began behind";
  ASSERT_TRUE(store_.SweepContacts(kLater).has_value());
  ASSERT_TRUE(store_.SweepContacts(kLater).has_value());
  EXPECT_EQ(InFile("SELECT count(*) FROM contact"), "0");
}

TEST_F(SweepMemoryTest, ARoundThatBeganInTheMiddleTakesNoDomainForEmpty) {
  const ContactPair blocked{"ann@contoso.example", "eve@partner.example"};
  const ContactEdit block{blocked, ContactMark::kBlocked, {}};
  ASSERT_TRUE(store_.EditContacts(std::span(&block, 1), {kNow, kTtl}).has_value());
  SeeMany();
  ASSERT_TRUE(store_.SweepContacts(kLater).has_value());
  ASSERT_TRUE(store_.KeepSweep("boot", readings_).has_value());
  store_ = *Store::Open(file_);
  ASSERT_TRUE(store_.ResumeSweep("boot").has_value());
  ASSERT_TRUE(store_.SweepContacts(kLater).has_value());
  EXPECT_EQ(InFile("SELECT count(*) FROM contact_domain"), "1");
  EXPECT_TRUE(store_.FindContact(blocked, kLater)->has_value());
}

}  // namespace
}  // namespace gatehouse::policy_engine
