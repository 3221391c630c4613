// How many contacts a partner may have (12.5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/store.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

proto::Partner PartnerWithDomains(const std::string& id, const std::vector<std::string>& domains) {
  proto::Partner partner = DefaultPartner();
  partner.set_id(id);
  partner.set_domain(domains[0]);
  for (std::size_t i = 1; i < domains.size(); ++i) partner.add_additional_domains(domains[i]);
  return partner;
}

// A partner may have three.
class ContactLimitTest : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;
  static constexpr std::int64_t kTtl = 3200;

  ContactLimitTest() : store_(*Open()) {
    Change({}, wide_);
    Change({}, other_);
  }
  Result<Store> Open() {
    return Store::Open(folder_.File("policy.db"), [] {}, 3);
  }
  void Change(const std::optional<proto::Partner>& before,
              const std::optional<proto::Partner>& after) {
    AuditEntry entry;
    proto::RecordChange& change = entry.changes.emplace_back();
    if (before) *change.mutable_before()->mutable_partner() = *before;
    if (after) *change.mutable_after()->mutable_partner() = *after;
    const auto written = store_.Write(std::move(entry));
    EXPECT_TRUE(written.has_value()) << written.error().text;
  }
  Store::Seen See(const std::string& contact, std::int64_t now = kNow) {
    const ContactPair pair{"ann@contoso.example", contact};
    const auto seen = store_.SeeContacts(std::span(&pair, 1), {now, kTtl});
    EXPECT_TRUE(seen.has_value()) << seen.error().text;
    return seen->front();
  }
  bool IsFull(const std::string& contact, std::int64_t now = kNow) {
    const Store::Seen seen = See(contact, now);
    return !seen && seen.error() == NotNoted::kNoRoom;
  }
  Result<void> Edit(const std::vector<std::string>& contacts, std::optional<ContactMark> mark,
                    std::int64_t now = kNow) {
    std::vector<ContactEdit> edits;
    for (const std::string& contact : contacts)
      edits.push_back({{"ann@contoso.example", contact}, mark, {}});
    GATEHOUSE_TRY_VOID(store_.EditContacts(edits, {now, kTtl}));
    return {};
  }
  void Fill() {
    for (const char* contact : {"a@partner.example", "b@chat.example", "c@im.partner.example"})
      EXPECT_TRUE(See(contact).has_value()) << contact;
  }
  bool IsStored(const std::string& contact) {
    return store_.FindContact({"ann@contoso.example", contact}, {kNow, kTtl})->has_value();
  }

  const proto::Partner wide_ =
      PartnerWithDomains("wide", {"partner.example", "chat.example", "*.partner.example"});
  const proto::Partner other_ = PartnerWithDomains("other", {"other.example"});
  ScratchFolder folder_;
  Store store_;
};

TEST_F(ContactLimitTest, ANewContactBeyondTheLimitOfAllDomainsOfItsPartnerIsNotStored) {
  Fill();
  for (const char* contact : {"d@partner.example", "d@chat.example", "d@new.partner.example"}) {
    EXPECT_TRUE(IsFull(contact)) << contact;
    EXPECT_FALSE(IsStored(contact)) << contact;
  }
  EXPECT_TRUE(See("a@other.example").has_value());
}

TEST_F(ContactLimitTest, ARenewalGoesThroughEvenOfAContactThatHasEnded) {
  Fill();
  EXPECT_TRUE(See("a@partner.example", kNow + 1000).has_value());
  EXPECT_TRUE(See("b@chat.example", kNow + kTtl).has_value());
}

TEST_F(ContactLimitTest, WhoComesTogetherIsCountedTogether) {
  std::vector<ContactPair> pairs;
  for (int i = 0; i < 5; ++i)
    pairs.push_back({"ann@contoso.example", std::to_string(i) + "@partner.example"});
  const auto seen = store_.SeeContacts(pairs, {kNow, kTtl});
  EXPECT_TRUE((*seen)[2].has_value());
  EXPECT_FALSE((*seen)[3].has_value());
  EXPECT_FALSE((*seen)[4].has_value());
}

TEST_F(ContactLimitTest, WhatIsForgottenOrSweptMakesRoom) {
  Fill();
  ASSERT_TRUE(Edit({"b@chat.example"}, std::nullopt).has_value());
  EXPECT_TRUE(See("d@chat.example", kNow + 1).has_value());
  EXPECT_TRUE(IsFull("e@chat.example"));
  ASSERT_TRUE(store_.SweepContacts({kNow + kTtl, kTtl}).has_value());  // all but d
  EXPECT_TRUE(See("e@chat.example", kNow + kTtl).has_value());
  EXPECT_TRUE(See("f@chat.example", kNow + kTtl).has_value());
  EXPECT_TRUE(IsFull("g@chat.example", kNow + kTtl));
}

TEST_F(ContactLimitTest, AnOperatorIsToldThatThereIsNoRoomAndNothingIsChanged) {
  See("a@partner.example");
  See("b@partner.example");
  const auto refused = Edit({"c@partner.example", "d@partner.example"}, ContactMark::kAllowed);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().fault, Fault::kConfig);
  EXPECT_EQ(refused.error().text,
            "contact 'd@partner.example' of 'ann@contoso.example' would be one too many, its "
            "partner has as many as one may have, none of them ended; see gatehousectl contact "
            "list, and take out who is needed no more with: gatehousectl contact forget");
  EXPECT_FALSE(IsStored("c@partner.example"));
  EXPECT_TRUE(Edit({"a@partner.example", "c@partner.example"}, ContactMark::kAllowed).has_value());
}

TEST_F(ContactLimitTest, HeIsToldHowManyHaveEndedAndForgettingOneOfThemMakesRoomAtOnce) {
  See("z@other.example");
  See("a@partner.example");
  See("b@chat.example");
  See("c@partner.example", kNow + 1);
  ASSERT_TRUE(Edit({"y@other.example"}, ContactMark::kBlocked).has_value());
  const auto allow = [this] {
    return Edit({"d@partner.example"}, ContactMark::kAllowed, kNow + kTtl);
  };
  EXPECT_THAT(allow().error().text,
              testing::HasSubstr("as many as one may have, 2 of them ended; see gatehousectl "
                                 "contact list --ended, and take out who is needed no more"));
  ASSERT_TRUE(Edit({"a@partner.example"}, std::nullopt).has_value());
  EXPECT_TRUE(allow().has_value());
}

TEST_F(ContactLimitTest, ABlockIsNeverRefused) {
  Fill();
  EXPECT_TRUE(Edit({"a@partner.example", "eve@partner.example"}, ContactMark::kBlocked));
  EXPECT_TRUE(IsStored("eve@partner.example"));
  EXPECT_TRUE(Edit({"eve@partner.example"}, ContactMark::kAllowed));
}

TEST_F(ContactLimitTest, ADomainThatGoesTakesItsContactsOutOfTheCount) {
  Fill();
  Change(wide_, PartnerWithDomains("wide", {"partner.example", "*.partner.example"}));
  EXPECT_TRUE(See("d@partner.example").has_value());
  EXPECT_TRUE(IsFull("e@partner.example"));
  // The sweep of the rows that are left of it must not count them again.
  ASSERT_TRUE(store_.SweepContacts({kNow, kTtl}).has_value());
  EXPECT_TRUE(IsFull("e@partner.example"));
}

TEST_F(ContactLimitTest, ADomainThatGoesToAnotherPartnerCountsForThatOne) {
  Fill();
  Change(other_, PartnerWithDomains("other", {"other.example", "im.partner.example"}));
  EXPECT_TRUE(See("d@partner.example").has_value());
  for (const char* contact : {"a@im.partner.example", "b@other.example", "c@other.example"})
    EXPECT_TRUE(See(contact).has_value()) << contact;
  EXPECT_TRUE(IsFull("d@im.partner.example"));
}

TEST_F(ContactLimitTest, ATransactionThatFailsCountsNothing) {
  See("a@partner.example");
  SqliteDatabase beside = *SqliteDatabase::Open(folder_.File("policy.db"));
  ASSERT_TRUE(beside
                  .Run("CREATE TRIGGER no_room BEFORE INSERT ON contact WHEN new.local = 'c'"
                       " BEGIN SELECT RAISE(ABORT, 'no room'); END")
                  .has_value());
  const std::vector<ContactPair> pairs = {{"ann@contoso.example", "b@new.partner.example"},
                                          {"ann@contoso.example", "c@partner.example"}};
  EXPECT_FALSE(store_.SeeContacts(pairs, {kNow, kTtl}).has_value());
  ASSERT_TRUE(beside.Run("DROP TRIGGER no_room").has_value());
  EXPECT_TRUE(See("d@partner.example").has_value());
  EXPECT_TRUE(See("e@partner.example").has_value());
  EXPECT_TRUE(IsFull("f@partner.example"));
}

TEST_F(ContactLimitTest, TheCountIsRightAgainInTheNextLifeAndAfterARestore) {
  Store copy = *Store::Open(*store_.KeepBeside(kNow));
  Fill();
  Change(wide_, PartnerWithDomains("wide", {"partner.example", "*.partner.example"}));
  store_ = *Open();
  EXPECT_TRUE(See("d@partner.example").has_value());
  EXPECT_TRUE(IsFull("e@partner.example"));
  ASSERT_TRUE(store_.Become(copy).has_value());
  Fill();
  EXPECT_TRUE(IsFull("e@partner.example"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
