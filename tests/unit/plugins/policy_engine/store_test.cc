#include "plugins/policy_engine/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/policy/partner_words.h"
#include "tests/unit/plugins/policy_engine/store_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

TEST(Store, StartsWithNoPartnersTheDefaultsAndRights0600) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  EXPECT_TRUE(content->data.partners().empty());
  EXPECT_EQ(content->data.gateway().SerializeAsString(),
            DefaultGatewaySettings().SerializeAsString());
  struct stat info{};
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
  settings.set_federation(proto::GatewaySettings::OUTBOUND_ONLY);
  settings.set_discover(true);
  settings.set_authorisation_ttl_s(7);
  settings.set_synthetic_interval_s(60);
  settings.set_unverified_outbound_im(true);
  {
    Store store = OpenAt(folder.File("policy.db"));
    ASSERT_TRUE(Put(store, partner).has_value());
    ASSERT_TRUE(PutGateway(store, settings).has_value());
  }
  Store store = OpenAt(folder.File("policy.db"));
  Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->revision, 3U);
  ASSERT_EQ(content->data.partners_size(), 1U);
  EXPECT_EQ(content->data.partners(0).revision(), 2U);
  content->data.mutable_partners(0)->clear_revision();
  EXPECT_EQ(content->data.partners(0).SerializeAsString(), partner.SerializeAsString());
  EXPECT_EQ(content->data.gateway().SerializeAsString(), settings.SerializeAsString());
}

TEST(Store, BringsAnOlderFileUpToDateAndKeepsWhatIsInIt) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  proto::Partner partner = FullPartner();
  {
    Store store = OpenAt(path);
    ASSERT_TRUE(Put(store, partner).has_value());
  }
  ASSERT_TRUE(SqliteDatabase::Open(path)
                  ->Run("ALTER TABLE partner DROP COLUMN trust_anchors;"
                        " ALTER TABLE partner DROP COLUMN strict_sasl; DROP TABLE tls_memory;"
                        " ALTER TABLE partner DROP COLUMN bidi;"
                        " ALTER TABLE partner DROP COLUMN same_certificate;"
                        " ALTER TABLE gateway DROP COLUMN dialback_disabled_reply;"
                        " ALTER TABLE gateway DROP COLUMN one_stream_per_pair;"
                        " ALTER TABLE partner DROP COLUMN dane;"
                        " ALTER TABLE gateway DROP COLUMN unverified_outbound_im;"
                        " DROP TABLE contact; DROP TABLE contact_domain;"
                        " ALTER TABLE store_state DROP COLUMN contacts_epoch;"
                        " ALTER TABLE gateway DROP COLUMN authorisation_ttl_s;"
                        " ALTER TABLE store_state DROP COLUMN checksum;"
                        " DROP TABLE record_change; DROP INDEX audit_revision;"
                        " ALTER TABLE audit DROP COLUMN revision;"
                        " ALTER TABLE audit DROP COLUMN uid;"
                        " ALTER TABLE audit DROP COLUMN reason;"
                        " ALTER TABLE audit ADD COLUMN before TEXT NOT NULL DEFAULT '';"
                        " ALTER TABLE audit ADD COLUMN after TEXT NOT NULL DEFAULT '';"
                        " UPDATE audit SET after = '{\"domain\":\"partner.example\"}';"
                        " DROP TABLE access_grant; DROP TABLE access_policy;"
                        " ALTER TABLE gateway DROP COLUMN federation;"
                        " ALTER TABLE gateway DROP COLUMN discover; DROP TABLE denied_domain;"
                        " ALTER TABLE gateway DROP COLUMN synthetic_interval_s;"
                        " DROP TABLE certificate_slot; DROP TABLE certificate;"
                        " DROP TABLE partner_type; ALTER TABLE partner DROP COLUMN own_type;"
                        " DROP TABLE sweep_reading; ALTER TABLE store_state DROP COLUMN swept_to;"
                        " ALTER TABLE partner DROP COLUMN expires_unix;"
                        " PRAGMA user_version = 1;")
                  .has_value());
  Store store = OpenAt(path);
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  ASSERT_EQ(content->data.partners_size(), 1U);
  EXPECT_EQ(content->data.partners(0).trust_anchors(), "");
  EXPECT_EQ(content->data.partners(0).dane(), proto::REPORT);
  EXPECT_EQ(content->data.partners(0).proxy(), partner.proxy());
  const Result<std::vector<AuditEntry>> audit = store.Audit({});
  ASSERT_TRUE(audit.has_value()) << audit.error().text;
  EXPECT_EQ(audit->front().revision, 0U);
  EXPECT_EQ(audit->front().uid, -1);
  EXPECT_EQ(audit->front().changes[0].after().partner().domain(), "partner.example");
  ASSERT_TRUE(
      SqliteDatabase::Open(path)->Run("UPDATE partner SET dialback = 0, enabled = 0").has_value());
  EXPECT_FALSE(OpenAt(path).Read().has_value()) << "an upgraded store is sealed";
  ASSERT_TRUE(
      SqliteDatabase::Open(path)->Run("UPDATE partner SET dialback = 1, enabled = 1").has_value());
  EXPECT_TRUE(Put(store, partner).has_value());
}

TEST(Store, AnUpgradeSealsNothingThatIsNotWhatWasWritten) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  {
    Store store = OpenAt(path);
    ASSERT_TRUE(Put(store, FullPartner()).has_value());
  }
  const auto older_with = [&path](const std::string& damage) {
    return SqliteDatabase::Open(path)->Run((damage + "; ALTER TABLE record_change DROP COLUMN sets;"
                                                     " ALTER TABLE gateway DROP COLUMN"
                                                     " synthetic_interval_s;"
                                                     " DROP TABLE IF EXISTS certificate_slot;"
                                                     " DROP TABLE IF EXISTS certificate;"
                                                     " DROP TABLE partner_type;"
                                                     " ALTER TABLE partner DROP COLUMN own_type;"
                                                     " DROP TABLE sweep_reading;"
                                                     " ALTER TABLE store_state DROP COLUMN swept_to;"
                                                     " PRAGMA user_version = 11")
                                               .c_str());
  };
  ASSERT_TRUE(older_with("UPDATE partner SET enabled = 0").has_value());
  EXPECT_THAT(WhyNotOpened(path), HasSubstr("its checksum differs"));
  ASSERT_TRUE(SqliteDatabase::Open(path)->Run("UPDATE partner SET enabled = 1").has_value());
  EXPECT_EQ(WhyNotOpened(path), "");
}

TEST(Store, OrdersPartnersByTheirPrimaryDomain) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  for (const char* domain : {"b.example", "c.example", "a.example"}) {
    proto::Partner partner = DefaultPartner();
    partner.set_id(std::string("id of ") + domain);
    partner.set_domain(domain);
    partner.add_additional_domains(std::string("0.") + domain);
    ASSERT_TRUE(Put(store, partner).has_value());
  }
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value());
  ASSERT_EQ(content->data.partners_size(), 3U);
  EXPECT_EQ(content->data.partners(0).domain(), "a.example");
  EXPECT_EQ(content->data.partners(1).domain(), "b.example");
  EXPECT_EQ(content->data.partners(2).domain(), "c.example");
}

TEST(Store, NotesEachChangeInTheAuditTheNewestFirst) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  ASSERT_TRUE(Put(store, FullPartner()).has_value());
  ASSERT_TRUE(Remove(store, FullPartner()).has_value());
  const Result<std::vector<AuditEntry>> audit = store.Audit({});
  ASSERT_TRUE(audit.has_value()) << audit.error().text;
  ASSERT_EQ(audit->size(), 2U);
  const AuditEntry& newest = audit->front();
  EXPECT_EQ(newest.revision, 3U);
  EXPECT_EQ(newest.at_unix_ms, 1'700'000'000'000);
  EXPECT_EQ(newest.actor, "alice");
  EXPECT_EQ(newest.uid, 1001);
  EXPECT_EQ(newest.action, "partner remove");
  EXPECT_EQ(newest.subject, "partner.example");
  EXPECT_EQ(newest.reason, "they asked");
  ASSERT_EQ(newest.changes.size(), 1U);
  EXPECT_EQ(newest.changes[0].before().partner().SerializeAsString(),
            FullPartner().SerializeAsString());
  EXPECT_FALSE(newest.changes[0].has_after());
  EXPECT_EQ(audit->back().action, "partner set");
  EXPECT_TRUE(store.Read()->data.partners().empty());
}

TEST(Store, FindsWhatIsAboutOneSubjectAndWhatHasRevisions) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  ASSERT_TRUE(PutGateway(store, DefaultGatewaySettings()).has_value());
  AuditEntry both = Entry("apply");
  both.subject = "partners.yaml";
  *both.changes.emplace_back().mutable_after()->mutable_partner() = FullPartner();
  ASSERT_TRUE(store.Write(both).has_value());
  ASSERT_EQ(store.Audit({.subject = "partner.example"})->size(), 2U);
  ASSERT_EQ(store.Audit({.last = 1, .subject = "partner.example"})->size(), 1U);
  EXPECT_EQ(store.Audit({.subject = "partners.yaml"})->size(), 1U);
  EXPECT_EQ(store.Audit({.subject = "another.example"})->size(), 0U);
  const Result<std::vector<AuditEntry>> later = store.Audit({.after_revision = 2});
  ASSERT_EQ(later->size(), 1U);
  EXPECT_EQ(later->front().revision, 3U);
}

TEST(Store, ADomainMayGoFromOnePartnerToAnotherInOneChange) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  proto::Partner giver = FullPartner();
  proto::Partner taker = DefaultPartner();
  taker.set_id("p2");
  taker.set_domain("taker.example");
  ASSERT_TRUE(Put(store, giver).has_value());
  ASSERT_TRUE(Put(store, taker).has_value());
  AuditEntry entry = Entry("apply");
  proto::RecordChange& first = entry.changes.emplace_back();
  *first.mutable_before()->mutable_partner() = taker;
  taker.add_additional_domains("a.partner.example");
  *first.mutable_after()->mutable_partner() = taker;
  proto::RecordChange& second = entry.changes.emplace_back();
  *second.mutable_before()->mutable_partner() = giver;
  giver.clear_additional_domains();
  *second.mutable_after()->mutable_partner() = giver;
  const Result<StoreContent> written = store.Write(entry);
  ASSERT_TRUE(written.has_value()) << written.error().text;
  EXPECT_EQ(store.Read()->data.partners(1).additional_domains(0), "a.partner.example");
}

TEST(Store, WritesNothingAtAllOfAChangeThatFails) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  ASSERT_TRUE(Put(store, FullPartner()).has_value());
  proto::Partner thief = DefaultPartner();
  thief.set_id("p2");
  thief.set_domain("thief.example");
  thief.add_additional_domains("a.partner.example");  // p1's
  EXPECT_FALSE(Put(store, thief).has_value());
  const Result<StoreContent> content = store.Read();
  EXPECT_EQ(content->data.partners_size(), 1U);
  EXPECT_EQ(content->revision, 2U);
  EXPECT_EQ(store.Audit({})->size(), 1U);
  EXPECT_TRUE(Remove(store, FullPartner()).has_value());
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
      if (!Put(*store, partner)) break;
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
  EXPECT_GE(content->data.partners_size(), count);
  EXPECT_LE(content->data.partners_size(), count + 1);
  EXPECT_EQ(content->revision, content->data.partners_size() + 1);
  EXPECT_EQ(store.Audit({})->size(), content->data.partners_size());
}

// What an operator changed does not stay in the log, where SQLite takes a wrong bit for its end: in
// the file the checksum finds it.
TEST(Store, WhatWasChangedIsInTheFileAndNotInTheLog) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  Store store = OpenAt(path);
  EXPECT_EQ(std::filesystem::file_size(path + "-wal"), 0U);
  ASSERT_TRUE(Put(store, FullPartner()).has_value());
  EXPECT_EQ(std::filesystem::file_size(path + "-wal"), 0U);
  std::filesystem::copy_file(path, folder.File("copy.db"));
  EXPECT_EQ(OpenAt(folder.File("copy.db")).Read()->data.partners_size(), 1);
}

TEST(Store, RemembersTlsAcrossChangesOfThePartnerAndUntilItIsRemovedOrForgotten) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  {
    Store store = OpenAt(path);
    ASSERT_TRUE(Put(store, FullPartner()).has_value());
    const std::vector<std::string> ids = {"p1"};
    ASSERT_TRUE(store.RememberTls(ids, 1'800'000'000).has_value());
    ASSERT_TRUE(Put(store, FullPartner()).has_value());
  }
  Store store = OpenAt(path);
  EXPECT_EQ(store.Read()->data.partners(0).tls_seen_unix(), 1'800'000'000U);
  ASSERT_TRUE(store.ForgetTls("p1", Entry("partner forget-tls")).has_value());
  EXPECT_EQ(store.Read()->data.partners(0).tls_seen_unix(), 0U);
}

}  // namespace
}  // namespace gatehouse::policy_engine
