#include "plugins/policy_engine/contact_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/store.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr std::int64_t kTtl = 3200;  // its 32nd is 100 s
constexpr std::int64_t kStart = 1'800'000'000;

const ContactPair kPair{"ann@contoso.example", "romeo@partner.example"};

ContactClock At(std::int64_t now) {
  return {now, kTtl};
}

proto::Partner PartnerOf(const std::string& domain) {
  proto::Partner partner = DefaultPartner();
  partner.set_id("id of " + domain);
  partner.set_domain(domain);
  partner.add_additional_domains("chat." + domain);
  return partner;
}

class ContactTableTest : public testing::Test {
 protected:
  ContactTableTest() : store_(*Store::Open(folder_.File("policy.db"))) {
    for (const char* domain : {"partner.example", "other.example"})
      EXPECT_TRUE(Put(PartnerOf(domain)).has_value());
  }
  Result<void> Put(const proto::Partner& partner) {
    AuditEntry entry;
    *entry.changes.emplace_back().mutable_after()->mutable_partner() = partner;
    GATEHOUSE_TRY_VOID(store_.Write(std::move(entry)));
    return {};
  }
  Result<void> Remove(const proto::Partner& partner) {
    AuditEntry entry;
    *entry.changes.emplace_back().mutable_before()->mutable_partner() = partner;
    GATEHOUSE_TRY_VOID(store_.Write(std::move(entry)));
    return {};
  }
  std::optional<ContactMark> See(const ContactPair& pair, std::int64_t now) {
    const auto marks = store_.SeeContacts(std::span(&pair, 1), At(now));
    EXPECT_TRUE(marks.has_value()) << marks.error().text;
    if (!marks->front()) return std::nullopt;
    return *marks->front();
  }
  void Edit(const ContactPair& pair, std::optional<ContactMark> mark, std::int64_t now) {
    const ContactEdit edit{pair, mark, {}};
    const auto edited = store_.EditContacts(std::span(&edit, 1), At(now));
    EXPECT_TRUE(edited.has_value()) << edited.error().text;
  }
  std::optional<ContactMark> Find(const ContactPair& pair, std::int64_t now) {
    const auto row = store_.FindContact(pair, At(now));
    EXPECT_TRUE(row.has_value());
    if (!row || !*row) return std::nullopt;
    return (*row)->mark;
  }
  std::vector<ContactPair> List(ContactFilter filter, std::int64_t now) {
    std::vector<ContactPair> pairs;
    do {
      const auto page = store_.ListContacts(filter, At(now));
      EXPECT_TRUE(page.has_value());
      EXPECT_LE(page->rows.size(), filter.limit);
      for (const ContactRow& row : page->rows) pairs.push_back(row.pair);
      filter.after = page->next;
    } while (!filter.after.empty());
    return pairs;
  }
  void SweepAll(std::int64_t now) {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(store_.SweepContacts(At(now)).has_value());
  }
  std::string DomainsInFile() {
    return *SqliteDatabase::Open(folder_.File("policy.db"))
                ->One(
                    "SELECT ifnull(group_concat(domain, ' '), '')"
                    " FROM (SELECT domain FROM contact_domain ORDER BY domain)");
  }
  std::string RowsInFile() {
    return *SqliteDatabase::Open(folder_.File("policy.db"))->One("SELECT count(*) FROM contact");
  }
  // More than one call of a sweep looks at, behind ann's; all of one domain.
  void SeeMany() {
    std::vector<ContactPair> pairs;
    for (std::size_t i = 0; i < ContactTable::kPortion + 10; ++i)
      pairs.push_back({"u" + std::to_string(i) + "@contoso.example", "c@partner.example"});
    ASSERT_TRUE(store_.SeeContacts(pairs, At(kStart)).has_value());
  }
  std::uint64_t epoch() { return store_.Read()->contacts_epoch; }

  ScratchFolder folder_;
  Store store_;
};

TEST_F(ContactTableTest, ASubscribeIsLearnedAndHoldsForItsTimeToLive) {
  EXPECT_EQ(Find(kPair, kStart), std::nullopt);
  const std::uint64_t before = epoch();
  EXPECT_THAT(See(kPair, kStart), Optional(ContactMark::kLearned));
  EXPECT_THAT(Find(kPair, kStart + kTtl - 1), Optional(ContactMark::kLearned));
  EXPECT_EQ(Find(kPair, kStart + kTtl), std::nullopt);
  EXPECT_EQ(Find({"bob@contoso.example", kPair.contact}, kStart), std::nullopt);
  EXPECT_EQ(Find({kPair.sip_user, "romeo@other.example"}, kStart), std::nullopt);
  EXPECT_EQ(epoch(), before);  // nobody has to forget an answer for it
}

TEST_F(ContactTableTest, ALaterSubscribeBeginsTheTimeAnewInSteps) {
  See(kPair, kStart);
  See(kPair, kStart + 99);
  EXPECT_EQ(Find(kPair, kStart + kTtl), std::nullopt);
  See(kPair, kStart + 100);
  EXPECT_THAT(Find(kPair, kStart + kTtl), Optional(ContactMark::kLearned));
}

TEST_F(ContactTableTest, WhatIsBlockedStaysSoAndWhatIsAllowedEndsLikeWhatWasLearned) {
  Edit(kPair, ContactMark::kBlocked, kStart);
  EXPECT_THAT(See(kPair, kStart + 1), Optional(ContactMark::kBlocked));
  EXPECT_THAT(Find(kPair, kStart + 100 * kTtl), Optional(ContactMark::kBlocked));
  Edit(kPair, ContactMark::kAllowed, kStart);
  EXPECT_THAT(See(kPair, kStart + kTtl - 1), Optional(ContactMark::kAllowed));
  EXPECT_THAT(Find(kPair, kStart + 2 * kTtl - 2), Optional(ContactMark::kAllowed));
  EXPECT_EQ(Find(kPair, kStart + 2 * kTtl - 1), std::nullopt);
  Edit(kPair, std::nullopt, kStart + 2 * kTtl);
  EXPECT_EQ(Find(kPair, kStart + 2 * kTtl), std::nullopt);
}

// The clock may be wrong: what an administrator said is lost with the sweep, which waits until it
// is right, and not before.
TEST_F(ContactTableTest, ASubscribeLeavesWhatIsAllowedSoEvenWhereTheClockSaysThatItHasEnded) {
  Edit(kPair, ContactMark::kAllowed, kStart);
  EXPECT_EQ(Find(kPair, kStart + 10 * kTtl), std::nullopt);
  EXPECT_THAT(See(kPair, kStart + 10 * kTtl), Optional(ContactMark::kAllowed));
  EXPECT_THAT(See(kPair, kStart + 1), Optional(ContactMark::kAllowed))
      << "the clock is right again";
  EXPECT_EQ(Find(kPair, kStart + 1 + kTtl), std::nullopt) << "the wrong time is gone, too";
  SweepAll(kStart + 1 + kTtl);
  EXPECT_THAT(See(kPair, kStart + 2 * kTtl), Optional(ContactMark::kLearned));
}

TEST_F(ContactTableTest, AnEditIsAuditedAndMakesANewEpoch) {
  const std::uint64_t before = epoch();
  AuditEntry audit;
  audit.action = "contact allow";
  audit.subject = "ann romeo";
  audit.after = "{}";
  const std::vector<ContactEdit> edits = {{kPair, ContactMark::kAllowed, audit}};
  ASSERT_TRUE(store_.EditContacts(edits, At(kStart)).has_value());
  EXPECT_EQ(epoch(), before + 1);
  const AuditEntry noted = store_.Audit({.last = 1})->front();
  EXPECT_EQ(noted.revision, 0U);
  EXPECT_EQ(noted.action, "contact allow");
  EXPECT_EQ(noted.subject, "ann romeo");
  EXPECT_EQ(noted.before, "");
  EXPECT_EQ(noted.after, "{}");
}

TEST_F(ContactTableTest, OneEditThatCannotBeMadeLeavesAllUndone) {
  const std::uint64_t before = epoch();
  const std::vector<ContactEdit> edits = {
      {kPair, ContactMark::kAllowed, {}},
      {{kPair.sip_user, "x@unknown.example"}, ContactMark::kAllowed, {}}};
  EXPECT_FALSE(store_.EditContacts(edits, At(kStart)).has_value());
  EXPECT_EQ(Find(kPair, kStart), std::nullopt);
  EXPECT_EQ(epoch(), before);
}

TEST_F(ContactTableTest, AContactInADomainThatIsNoPartnersIsNotLearned) {
  EXPECT_EQ(See({kPair.sip_user, "x@unknown.example"}, kStart), std::nullopt);
  EXPECT_EQ(RowsInFile(), "0");
}

TEST_F(ContactTableTest, APartnersContactsGoWithItAndDoNotComeBackWithItsDomain) {
  const ContactPair additional{kPair.sip_user, "nurse@chat.partner.example"};
  const ContactPair other{kPair.sip_user, "romeo@other.example"};
  for (const ContactPair& pair : {kPair, additional, other}) See(pair, kStart);
  const std::uint64_t before = epoch();
  ASSERT_TRUE(Remove(PartnerOf("partner.example")).has_value());
  EXPECT_EQ(epoch(), before + 1);
  ASSERT_TRUE(Put(PartnerOf("partner.example")).has_value());
  EXPECT_EQ(Find(kPair, kStart), std::nullopt);
  EXPECT_EQ(Find(additional, kStart), std::nullopt);
  EXPECT_THAT(Find(other, kStart), Optional(ContactMark::kLearned));
  See(kPair, kStart);
  EXPECT_THAT(List({}, kStart), testing::UnorderedElementsAre(kPair, other));
  EXPECT_EQ(RowsInFile(), "4");
  SweepAll(kStart);
  EXPECT_EQ(RowsInFile(), "2");
  EXPECT_THAT(List({}, kStart), testing::UnorderedElementsAre(kPair, other));
}

TEST_F(ContactTableTest, ARemovedPartnerWithoutContactsIsNoNewEpoch) {
  const std::uint64_t before = epoch();
  ASSERT_TRUE(Remove(PartnerOf("other.example")).has_value());
  EXPECT_EQ(epoch(), before);
}

TEST_F(ContactTableTest, ListsByUserAndByContactInPages) {
  const ContactPair second{"ann@contoso.example", "tybalt@other.example"};
  const ContactPair third{"bob@contoso.example", "romeo@partner.example"};
  const ContactPair domain{"bob@contoso.example", "partner.example"};
  for (const ContactPair& pair : {kPair, second, third, domain}) See(pair, kStart);
  EXPECT_THAT(List({.limit = 1}, kStart), ElementsAre(kPair, second, domain, third));
  EXPECT_THAT(List({.sip_user = "ann@contoso.example", .limit = 1}, kStart),
              ElementsAre(kPair, second));
  EXPECT_THAT(List({.contact = "romeo@partner.example"}, kStart), ElementsAre(kPair, third));
  EXPECT_THAT(List({.sip_user = "bob@contoso.example", .contact = "partner.example"}, kStart),
              ElementsAre(domain));
  EXPECT_THAT(List({.sip_user = "an@contoso.example"}, kStart), IsEmpty());
  EXPECT_THAT(List({}, kStart + kTtl), IsEmpty());
  EXPECT_THAT(List({.after = "nonsense"}, kStart), testing::SizeIs(4));
  EXPECT_THAT(List({.after = "/"}, kStart), testing::SizeIs(4));
}

TEST_F(ContactTableTest, LooksAtAPortionAtATimeOnly) {
  SeeMany();
  See({"v@contoso.example", "wanted@partner.example"}, kStart + kTtl);
  const auto page = store_.ListContacts({.contact = "wanted@partner.example"}, At(kStart));
  EXPECT_THAT(page->rows, IsEmpty());
  EXPECT_FALSE(page->next.empty());
  EXPECT_THAT(List({.contact = "wanted@partner.example"}, kStart), testing::SizeIs(1));
  ASSERT_TRUE(store_.SweepContacts(At(kStart + kTtl)).has_value());
  EXPECT_EQ(RowsInFile(), "11");
  SweepAll(kStart + kTtl);
  EXPECT_EQ(RowsInFile(), "1");
}

TEST_F(ContactTableTest, ADomainGoesWithItsLastContact) {
  proto::Partner wide = PartnerOf("fabrikam.example");
  wide.add_additional_domains("*.fabrikam.example");
  ASSERT_TRUE(Put(wide).has_value());
  const ContactPair blocked{kPair.sip_user, "eve@b.fabrikam.example"};
  const ContactPair kept{kPair.sip_user, "romeo@c.fabrikam.example"};
  for (const char* contact : {"romeo@a.fabrikam.example", "romeo@d.fabrikam.example"})
    See({kPair.sip_user, contact}, kStart);
  Edit(blocked, ContactMark::kBlocked, kStart);
  See(kept, kStart + kTtl);
  Edit({kPair.sip_user, "romeo@d.fabrikam.example"}, std::nullopt, kStart);
  SweepAll(kStart + 1);
  EXPECT_EQ(DomainsInFile(), "a.fabrikam.example b.fabrikam.example c.fabrikam.example");
  SweepAll(kStart + kTtl);
  EXPECT_EQ(DomainsInFile(), "b.fabrikam.example c.fabrikam.example");
  EXPECT_THAT(Find(kept, kStart + kTtl), Optional(ContactMark::kLearned));
  EXPECT_THAT(Find(blocked, kStart + kTtl), Optional(ContactMark::kBlocked));
  See({kPair.sip_user, "romeo@a.fabrikam.example"}, kStart + kTtl);
  EXPECT_THAT(Find({kPair.sip_user, "romeo@a.fabrikam.example"}, kStart + kTtl),
              Optional(ContactMark::kLearned));
}

TEST_F(ContactTableTest, ADomainStaysWhoseContactIsWrittenBehindTheSweep) {
  SeeMany();
  ASSERT_TRUE(store_.SweepContacts(At(kStart)).has_value());  // the first portion
  const ContactPair behind{"ann@contoso.example", "romeo@other.example"};
  See(behind, kStart);
  SweepAll(kStart);
  EXPECT_EQ(DomainsInFile(), "other.example partner.example");
  EXPECT_THAT(Find(behind, kStart), Optional(ContactMark::kLearned));
}

TEST_F(ContactTableTest, ABlockStaysWhereTheEndOfASweepCouldNotBeWritten) {
  const ContactPair blocked{"ann@contoso.example", "eve@other.example"};
  const ContactPair gone{"ann@contoso.example", "nurse@chat.partner.example"};
  Edit(blocked, ContactMark::kBlocked, kStart);
  See(gone, kStart);
  SweepAll(kStart);
  Edit(gone, std::nullopt, kStart);  // leaves a domain to be taken out
  SeeMany();
  ASSERT_TRUE(store_.SweepContacts(At(kStart)).has_value());  // the first portion
  SqliteDatabase beside = *SqliteDatabase::Open(folder_.File("policy.db"));
  ASSERT_TRUE(beside
                  .Run("CREATE TRIGGER no_room BEFORE DELETE ON contact_domain"
                       " BEGIN SELECT RAISE(ABORT, 'no room'); END")
                  .has_value());
  EXPECT_FALSE(store_.SweepContacts(At(kStart)).has_value());
  ASSERT_TRUE(beside.Run("DROP TRIGGER no_room").has_value());
  SweepAll(kStart);
  EXPECT_EQ(DomainsInFile(), "other.example partner.example");
  EXPECT_THAT(Find(blocked, kStart), Optional(ContactMark::kBlocked));
}

TEST_F(ContactTableTest, ABlockStaysThatARestoreHasPutBehindTheSweep) {
  const ContactPair blocked{"ann@contoso.example", "eve@other.example"};
  See(kPair, kStart);
  Edit(blocked, ContactMark::kBlocked, kStart);
  Store copy = *Store::Open(*store_.KeepBeside(kStart));
  Edit(blocked, std::nullopt, kStart);
  SweepAll(kStart);
  ASSERT_EQ(DomainsInFile(), "partner.example");
  SeeMany();
  ASSERT_TRUE(store_.SweepContacts(At(kStart)).has_value());  // the first portion
  ASSERT_TRUE(store_.Become(copy).has_value());
  SweepAll(kStart);
  EXPECT_EQ(DomainsInFile(), "other.example partner.example");
  EXPECT_THAT(Find(blocked, kStart), Optional(ContactMark::kBlocked));
}

// The child says each SUBSCRIBE it has been told is stored; it dies in the middle of the next ones.
TEST_F(ContactTableTest, KeepsEveryAcknowledgedContactWhenItsProcessIsKilled) {
  const auto pair = [](int i) {
    return ContactPair{"u" + std::to_string(i) + "@contoso.example", "c@partner.example"};
  };
  std::array<int, 2> acknowledged{};
  ASSERT_EQ(::pipe(acknowledged.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Result<Store> store = Store::Open(folder_.File("policy.db"));
    for (int i = 0; store && i < 100'000; ++i) {
      const ContactPair one = pair(i);
      if (!store->SeeContacts(std::span(&one, 1), At(kStart))) break;
      if (::write(acknowledged[1], "+", 1) != 1) break;
    }
    ::_exit(1);
  }
  ::close(acknowledged[1]);
  int count = 0;
  char plus = 0;
  while (count < 25 && ::read(acknowledged[0], &plus, 1) == 1) ++count;
  ::kill(child, SIGKILL);
  while (::read(acknowledged[0], &plus, 1) == 1) ++count;
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(acknowledged[0]);
  ASSERT_TRUE(WIFSIGNALED(status));
  Store after = *Store::Open(folder_.File("policy.db"));
  for (int i = 0; i < count; ++i)
    EXPECT_TRUE(after.FindContact(pair(i), At(kStart))->has_value()) << i;
}

TEST_F(ContactTableTest, AWildcardsContactsAreItsPartnersAndGoWithIt) {
  proto::Partner partner = DefaultPartner();
  partner.set_id("wide");
  partner.set_domain("fabrikam.example");
  partner.add_additional_domains("*.fabrikam.example");
  ASSERT_TRUE(Put(partner).has_value());
  proto::Partner narrow = DefaultPartner();
  narrow.set_id("narrow");
  narrow.set_domain("chat.fabrikam.example");
  ASSERT_TRUE(Put(narrow).has_value());
  const ContactPair below{"ann@contoso.example", "romeo@im.eu.fabrikam.example"};
  const ContactPair of_narrow{"ann@contoso.example", "romeo@chat.fabrikam.example"};
  const ContactPair beside{"ann@contoso.example", "romeo@notfabrikam.example"};
  EXPECT_THAT(See(below, kStart), Optional(ContactMark::kLearned));
  EXPECT_THAT(See(of_narrow, kStart), Optional(ContactMark::kLearned));
  EXPECT_EQ(See(beside, kStart), std::nullopt);
  ASSERT_TRUE(Remove(partner).has_value());
  EXPECT_EQ(Find(below, kStart), std::nullopt);
  EXPECT_THAT(Find(of_narrow, kStart), Optional(ContactMark::kLearned));
}

TEST_F(ContactTableTest, ContactsInADomainThatItsPartnerLosesAreNobodyElses) {
  const ContactPair first{"ann@contoso.example", "romeo@fabrikam.example"};
  const ContactPair named{"ann@contoso.example", "romeo@adatum.example"};
  const ContactPair below{"ann@contoso.example", "romeo@im.fabrikam.example"};
  const ContactPair given{"ann@contoso.example", "romeo@northwind.example"};
  proto::Partner full = DefaultPartner();
  full.set_id("fabrikam");
  full.set_domain("fabrikam.example");
  for (const char* domain : {"adatum.example", "*.fabrikam.example", "northwind.example"})
    full.add_additional_domains(domain);
  ASSERT_TRUE(Put(full).has_value());
  for (const ContactPair& pair : {first, named, below, given}) See(pair, kStart);
  const std::uint64_t epoch = store_.Read()->contacts_epoch;

  proto::Partner other = DefaultPartner();
  other.set_id("northwind");
  other.set_domain("northwind.example");
  AuditEntry entry;
  proto::RecordChange& change = entry.changes.emplace_back();
  *change.mutable_before()->mutable_partner() = full;
  *change.mutable_after()->mutable_partner() = full;
  change.mutable_after()->mutable_partner()->clear_additional_domains();
  *entry.changes.emplace_back().mutable_after()->mutable_partner() = other;
  ASSERT_TRUE(store_.Write(std::move(entry)).has_value());
  EXPECT_THAT(Find(first, kStart), Optional(ContactMark::kLearned));
  EXPECT_EQ(Find(named, kStart), std::nullopt);
  EXPECT_EQ(Find(below, kStart), std::nullopt);
  EXPECT_EQ(Find(given, kStart), std::nullopt) << "it is another's from now on";
  EXPECT_EQ(store_.Read()->contacts_epoch, epoch + 1);
}

TEST_F(ContactTableTest, ContactsThatANarrowerPartnerTakesFromAWildcardAreNotItsOwn) {
  proto::Partner wide = DefaultPartner();
  wide.set_id("wide");
  wide.set_domain("fabrikam.example");
  wide.add_additional_domains("*.fabrikam.example");
  ASSERT_TRUE(Put(wide).has_value());
  const ContactPair named{"ann@contoso.example", "romeo@chat.fabrikam.example"};
  const ContactPair below{"ann@contoso.example", "romeo@a.eu.fabrikam.example"};
  const ContactPair kept{"ann@contoso.example", "romeo@im.fabrikam.example"};
  for (const ContactPair& pair : {named, below, kept}) See(pair, kStart);
  const std::uint64_t before = epoch();
  proto::Partner narrow = DefaultPartner();
  narrow.set_id("narrow");
  narrow.set_domain("chat.fabrikam.example");
  narrow.add_additional_domains("*.eu.fabrikam.example");
  ASSERT_TRUE(Put(narrow).has_value());
  EXPECT_EQ(Find(named, kStart), std::nullopt);
  EXPECT_EQ(Find(below, kStart), std::nullopt);
  EXPECT_THAT(Find(kept, kStart), Optional(ContactMark::kLearned));
  EXPECT_EQ(epoch(), before + 1);
}

TEST_F(ContactTableTest, PartnersThatGoTogetherTakeTheirContactsAlongAndNobodyElses) {
  const ContactPair others{"ann@contoso.example", "juliet@chat.other.example"};
  const ContactPair third{"ann@contoso.example", "mercutio@third.example"};
  ASSERT_TRUE(Put(PartnerOf("third.example")).has_value());
  for (const ContactPair& pair : {kPair, others, third}) See(pair, kStart);
  AuditEntry entry;
  for (const char* domain : {"partner.example", "other.example"})
    *entry.changes.emplace_back().mutable_before()->mutable_partner() = PartnerOf(domain);
  ASSERT_TRUE(store_.Write(std::move(entry)).has_value());
  EXPECT_EQ(Find(kPair, kStart), std::nullopt);
  EXPECT_EQ(Find(others, kStart), std::nullopt);
  EXPECT_THAT(Find(third, kStart), Optional(ContactMark::kLearned));
}

}  // namespace
}  // namespace gatehouse::policy_engine
