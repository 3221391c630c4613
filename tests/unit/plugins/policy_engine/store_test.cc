#include "plugins/policy_engine/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "core/policy/partner_words.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

proto::Partner FullPartner() {
  proto::Partner partner;
  partner.set_id("p1");
  partner.set_domain("partner.example");
  partner.add_additional_domains("z.partner.example");
  partner.add_additional_domains("a.partner.example");
  partner.set_type(proto::FEDERATED);
  partner.set_tls(proto::OPTIONAL);
  partner.set_sasl(proto::NOT_SUPPORTED);
  partner.set_dialback(true);
  partner.set_connection_limit(7);
  partner.set_keep_alive(true);
  partner.set_proxy("proxy.example:5270");
  partner.set_description("Röntgen & \"Söhne\"");
  partner.set_enabled(true);
  partner.set_trust_anchors("-----BEGIN CERTIFICATE-----\n");
  partner.set_strict_sasl(true);
  partner.set_bidi(true);
  partner.set_same_certificate(true);
  partner.set_dane(proto::ENFORCE);
  return partner;
}

AuditEntry Entry(const std::string& action) {
  return {1'700'000'000'000, "alice", action, "partner.example", "{}", "{\"a\":1}"};
}

Store OpenAt(const std::string& path) {
  Result<Store> store = Store::Open(path);
  EXPECT_TRUE(store.has_value()) << store.error().text;
  return *std::move(store);
}

std::string WhyNot(const std::string& path) {
  const Result<Store> store = Store::Open(path);
  return store ? std::string() : store.error().text;
}

TEST(Store, StartsWithNoPartnersTheDefaultsAndRights0600) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  EXPECT_TRUE(content->partners.empty());
  EXPECT_EQ(content->gateway.SerializeAsString(), DefaultGatewaySettings().SerializeAsString());
  struct stat info {};
  ASSERT_EQ(::stat(folder.File("policy.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  ASSERT_EQ(::stat(folder.File("policy.db-wal").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST(Store, GivesBackEveryFieldAfterItWasOpenedAgain) {
  const ScratchFolder folder;
  const proto::Partner partner = FullPartner();
  proto::GatewaySettings settings;
  settings.set_connection_limit(1);
  settings.set_partner_connection_limit(2);
  settings.set_keep_alive_interval_s(3);
  settings.set_stream_establishment_timeout_s(4);
  settings.set_stream_inactivity_timeout_s(5);
  settings.set_subscription_refresh_interval_s(6);
  settings.set_log_message_bodies(true);
  settings.set_dialback_disabled_reply(proto::SILENT);
  settings.set_one_stream_per_pair(true);
  settings.set_authorisation_ttl_s(7);
  {
    Store store = OpenAt(folder.File("policy.db"));
    ASSERT_TRUE(store.PutPartner(partner, Entry("partner new")).has_value());
    ASSERT_TRUE(store.PutGateway(settings, Entry("gateway set")).has_value());
  }
  Store store = OpenAt(folder.File("policy.db"));
  Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->revision, 3U);
  ASSERT_EQ(content->partners.size(), 1U);
  EXPECT_EQ(content->partners[0].revision(), 2U);
  content->partners[0].clear_revision();
  EXPECT_EQ(content->partners[0].SerializeAsString(), partner.SerializeAsString());
  EXPECT_EQ(content->gateway.SerializeAsString(), settings.SerializeAsString());
}

TEST(Store, BringsAnOlderFileUpToDateAndKeepsWhatIsInIt) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  proto::Partner partner = FullPartner();
  ASSERT_TRUE(OpenAt(path).PutPartner(partner, Entry("partner new")).has_value());
  ASSERT_TRUE(SqliteDatabase::Open(path)
                  ->Run("ALTER TABLE partner DROP COLUMN trust_anchors;"
                        " ALTER TABLE partner DROP COLUMN strict_sasl; DROP TABLE tls_memory;"
                        " ALTER TABLE partner DROP COLUMN bidi;"
                        " ALTER TABLE partner DROP COLUMN same_certificate;"
                        " ALTER TABLE gateway DROP COLUMN dialback_disabled_reply;"
                        " ALTER TABLE gateway DROP COLUMN one_stream_per_pair;"
                        " ALTER TABLE partner DROP COLUMN dane;"
                        " DROP TABLE contact; DROP TABLE contact_domain;"
                        " ALTER TABLE store_state DROP COLUMN contacts_epoch;"
                        " ALTER TABLE gateway DROP COLUMN authorisation_ttl_s;"
                        " PRAGMA user_version = 1;")
                  .has_value());
  Store store = OpenAt(path);
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  ASSERT_EQ(content->partners.size(), 1U);
  EXPECT_EQ(content->partners[0].trust_anchors(), "");
  EXPECT_EQ(content->partners[0].dane(), proto::REPORT);
  EXPECT_EQ(content->partners[0].proxy(), partner.proxy());
  EXPECT_TRUE(store.PutPartner(partner, Entry("partner set")).has_value());
}

TEST(Store, OrdersPartnersByTheirPrimaryDomain) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  for (const char* domain : {"b.example", "c.example", "a.example"}) {
    proto::Partner partner = DefaultPartner();
    partner.set_id(std::string("id of ") + domain);
    partner.set_domain(domain);
    partner.add_additional_domains(std::string("0.") + domain);
    ASSERT_TRUE(store.PutPartner(partner, Entry("partner new")).has_value());
  }
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  ASSERT_EQ(content->partners.size(), 3U);
  EXPECT_EQ(content->partners[0].domain(), "a.example");
  EXPECT_EQ(content->partners[1].domain(), "b.example");
  EXPECT_EQ(content->partners[2].domain(), "c.example");
}

TEST(Store, NotesEachChangeInTheAuditTheNewestFirst) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  ASSERT_TRUE(store.PutPartner(FullPartner(), Entry("partner new")).has_value());
  ASSERT_TRUE(store.RemovePartner("p1", Entry("partner remove")).has_value());
  const Result<std::vector<AuditEntry>> audit = store.Audit(10);
  ASSERT_TRUE(audit.has_value());
  EXPECT_THAT(*audit, testing::ElementsAre(Entry("partner remove"), Entry("partner new")));
  EXPECT_TRUE(store.Read()->partners.empty());
}

TEST(Store, WritesNothingAtAllOfAChangeThatFails) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  ASSERT_TRUE(store.PutPartner(FullPartner(), Entry("partner new")).has_value());
  proto::Partner thief = DefaultPartner();
  thief.set_id("p2");
  thief.set_domain("thief.example");
  thief.add_additional_domains("a.partner.example");  // p1's
  EXPECT_FALSE(store.PutPartner(thief, Entry("partner new")).has_value());
  const Result<StoreContent> content = store.Read();
  EXPECT_EQ(content->partners.size(), 1U);
  EXPECT_EQ(content->revision, 2U);
  EXPECT_EQ(store.Audit(10)->size(), 1U);
  EXPECT_TRUE(store.RemovePartner("p1", Entry("partner remove")).has_value());
}

// The child says each partner it has been told is stored; it dies in the middle of the next ones.
TEST(Store, KeepsEveryAcknowledgedChangeWhenItsProcessIsKilled) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  std::array<int, 2> acknowledged{};
  ASSERT_EQ(::pipe(acknowledged.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Result<Store> store = Store::Open(path);
    for (int i = 0; store && i < 100'000; ++i) {
      proto::Partner partner = DefaultPartner();
      partner.set_id(std::to_string(i));
      partner.set_domain("d" + std::to_string(i) + ".example");
      if (!store->PutPartner(partner, Entry("partner new"))) break;
      if (::write(acknowledged[1], "+", 1) != 1) break;
    }
    ::_exit(1);
  }
  ::close(acknowledged[1]);
  std::size_t count = 0;
  char plus = 0;
  while (count < 25 && ::read(acknowledged[0], &plus, 1) == 1) ++count;
  ::kill(child, SIGKILL);
  while (::read(acknowledged[0], &plus, 1) == 1) ++count;
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(acknowledged[0]);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GE(count, 25U);

  Store store = OpenAt(path);
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  EXPECT_GE(content->partners.size(), count);
  EXPECT_LE(content->partners.size(), count + 1);
  EXPECT_EQ(content->revision, content->partners.size() + 1);
  EXPECT_EQ(store.Audit(100'000)->size(), content->partners.size());
}

TEST(Store, RefusesAFileThatIsNoDatabaseAndLeavesItAlone) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_THAT(WhyNot(path), HasSubstr("file is not a database"));
  EXPECT_THAT(WhyNot(path), HasSubstr("restore a copy"));
  EXPECT_THAT(WhyNot(path), HasSubstr(path));
}

TEST(Store, RefusesAFileThatWasEmptiedOrCutShort) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  for (const std::string& rest : {std::string(), std::string("SQLite format 3")}) {
    std::ofstream(path) << rest;
    EXPECT_THAT(WhyNot(path), HasSubstr("the file is empty or cut short; restore a copy"));
  }
}

TEST(Store, RefusesADamagedFile) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  {
    Store store = OpenAt(path);
    for (int i = 0; i < 100; ++i) {
      proto::Partner partner = DefaultPartner();
      partner.set_id(std::to_string(i));
      partner.set_domain("d" + std::to_string(i) + ".example");
      partner.set_description(std::string(900, 'x'));
      ASSERT_TRUE(store.PutPartner(partner, Entry("partner new")).has_value());
    }
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5 * 4096);
  file << std::string(8192, '\x5a');
  file.close();
  EXPECT_THAT(WhyNot(path), HasSubstr("restore a copy"));
}

TEST(Store, RefusesTheDatabaseOfAnotherProgramAndOfANewerVersion) {
  const ScratchFolder folder;
  const std::string other = folder.File("other.db");
  std::ofstream(other).close();
  ASSERT_TRUE(SqliteDatabase::Open(other)->Run("CREATE TABLE guests (name TEXT)").has_value());
  EXPECT_THAT(WhyNot(other), HasSubstr("not a Gatehouse store"));

  const std::string newer = folder.File("policy.db");
  { Store store = OpenAt(newer); }
  ASSERT_TRUE(SqliteDatabase::Open(newer)->Run("PRAGMA user_version = 99").has_value());
  EXPECT_THAT(WhyNot(newer), HasSubstr("schema version 99, this Gatehouse knows version 6"));
}

TEST(Store, RefusesAMissingFolderAndAWriteAheadLogWithoutItsFile) {
  const ScratchFolder folder;
  EXPECT_THAT(WhyNot(folder.File("absent/policy.db")), HasSubstr("the state folder must exist"));
  std::ofstream(folder.File("policy.db-wal")) << "log";
  EXPECT_THAT(WhyNot(folder.File("policy.db")), HasSubstr("write-ahead log is still there"));
}

TEST(Store, RefusesToWriteIntoAFileThatWasTakenAway) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  std::filesystem::rename(folder.File("policy.db"), folder.File("elsewhere.db"));
  const Result<void> put = store.PutPartner(FullPartner(), Entry("partner new"));
  ASSERT_FALSE(put.has_value());
  EXPECT_THAT(put.error().text, HasSubstr("taken away"));
}

TEST(Store, RemembersTlsAcrossChangesOfThePartnerAndUntilItIsRemovedOrForgotten) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  {
    Store store = OpenAt(path);
    ASSERT_TRUE(store.PutPartner(FullPartner(), Entry("partner new")).has_value());
    const std::vector<std::string> ids = {"p1"};
    ASSERT_TRUE(store.RememberTls(ids, 1'800'000'000).has_value());
    ASSERT_TRUE(store.PutPartner(FullPartner(), Entry("partner set")).has_value());
  }
  Store store = OpenAt(path);
  EXPECT_EQ(store.Read()->partners.front().tls_seen_unix(), 1'800'000'000U);
  ASSERT_TRUE(store.ForgetTls("p1", Entry("partner forget-tls")).has_value());
  EXPECT_EQ(store.Read()->partners.front().tls_seen_unix(), 0U);
}

}  // namespace
}  // namespace gatehouse::policy_engine
