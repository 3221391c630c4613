#include "plugins/policy_engine/engine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/policy/partner_words.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class EngineTest : public testing::Test {
 protected:
  EngineTest() : engine_(Open()) {}

  Engine Open() {
    Result<Store> store = Store::Open(folder_.File("policy.db"));
    EXPECT_TRUE(store.has_value()) << store.error().text;
    return *Engine::Create(*std::move(store), {"contoso.example"});
  }
  proto::CtlResponse Answer(proto::CtlRequest request) {
    request.set_id(17);
    request.set_actor("alice");
    request.set_actor_uid(1001);
    return engine_.Answer(request,
                          std::chrono::system_clock::time_point{std::chrono::milliseconds{1234}});
  }
  proto::CtlResponse New(const proto::Partner& partner) {
    proto::CtlRequest request;
    *request.mutable_partner_new()->mutable_partner() = partner;
    return Answer(request);
  }
  proto::CtlResponse New(const std::string& domain) {
    proto::Partner partner = DefaultPartner();
    partner.set_domain(domain);
    return New(partner);
  }
  proto::CtlResponse Set(const std::string& domain, const proto::Partner& values,
                         const std::vector<std::string>& fields) {
    proto::CtlRequest request;
    request.mutable_partner_set()->set_domain(domain);
    *request.mutable_partner_set()->mutable_partner() = values;
    for (const std::string& field : fields) request.mutable_partner_set()->add_fields(field);
    return Answer(request);
  }
  proto::CtlResponse Get(const std::string& domain) {
    proto::CtlRequest request;
    request.mutable_partner_get()->set_domain(domain);
    return Answer(request);
  }
  proto::CtlResponse Remove(const std::string& domain) {
    proto::CtlRequest request;
    request.mutable_partner_remove()->set_domain(domain);
    return Answer(request);
  }
  std::vector<AuditEntry> Audit() { return *Store::Open(folder_.File("policy.db"))->Audit({}); }
  std::string hash() const { return engine_.policy().snapshot.hash(); }

  ScratchFolder folder_;
  Engine engine_;
};

TEST_F(EngineTest, ANewPartnerIsStoredPublishedAuditedAndShown) {
  const std::string hash_before = hash();
  const proto::CtlResponse response = New("Partner.Example");
  EXPECT_EQ(response.exit_code(), 0U) << response.error();
  EXPECT_EQ(response.id(), 17U);
  ASSERT_EQ(response.partners().partners_size(), 1);
  const proto::PartnerView& view = response.partners().partners(0);
  EXPECT_EQ(view.partner().domain(), "partner.example");
  EXPECT_EQ(view.partner().id().size(), 16U);
  EXPECT_THAT(view.methods(), ElementsAre("sasl_tls"));
  EXPECT_THAT(view.warnings(), ElementsAre(HasSubstr("W1: dialback is enabled")));
  EXPECT_NE(hash(), hash_before);
  EXPECT_EQ(engine_.policy().snapshot.partners(0).domain(), "partner.example");
  ASSERT_EQ(Audit().size(), 1U);
  EXPECT_EQ(Audit()[0].actor, "alice");
  EXPECT_EQ(Audit()[0].at_unix_ms, 1234);
  EXPECT_EQ(Audit()[0].action, "partner new");
  EXPECT_EQ(Audit()[0].subject, "partner.example");
  EXPECT_EQ(Audit()[0].uid, 1001);
  EXPECT_EQ(Audit()[0].revision, response.revision());
  ASSERT_EQ(Audit()[0].changes.size(), 1U);
  EXPECT_FALSE(Audit()[0].changes[0].has_before());
  EXPECT_EQ(Audit()[0].changes[0].after().partner().domain(), "partner.example");
}

TEST_F(EngineTest, ARefusedPartnerChangesNothing) {
  New("partner.example");
  const std::string hash_before = hash();
  EXPECT_EQ(New("partner.example").exit_code(), 1U);
  const proto::CtlResponse ours = New("contoso.example");
  EXPECT_EQ(ours.exit_code(), 1U);
  EXPECT_THAT(ours.error(), HasSubstr("one of our own"));
  EXPECT_EQ(hash(), hash_before);
  EXPECT_EQ(Audit().size(), 1U);
}

TEST_F(EngineTest, SetReplacesExactlyTheFieldsThatAreNamed) {
  proto::Partner first = DefaultPartner();
  first.set_domain("partner.example");
  first.add_additional_domains("old.partner.example");
  first.set_description("first");
  New(first);
  proto::Partner values;
  values.set_tls(proto::OPTIONAL);
  values.add_additional_domains("new.partner.example");
  const proto::CtlResponse response = Set("PARTNER.example", values, {"tls", "additional_domains"});
  ASSERT_EQ(response.exit_code(), 0U) << response.error();
  const proto::Partner& partner = response.partners().partners(0).partner();
  EXPECT_EQ(partner.tls(), proto::OPTIONAL);
  EXPECT_THAT(partner.additional_domains(), ElementsAre("new.partner.example"));
  EXPECT_EQ(partner.description(), "first");
  EXPECT_TRUE(partner.dialback());
  EXPECT_EQ(Audit()[0].changes[0].before().partner().tls(), proto::REQUIRED);
  EXPECT_EQ(Audit()[0].changes[0].after().partner().tls(), proto::OPTIONAL);
}

TEST_F(EngineTest, AnInvalidRowIsRefusedWithItsCodeAndTheOldOneStaysInForce) {
  New("partner.example");
  const std::string hash_before = hash();
  proto::Partner values;
  values.set_tls(proto::NOT_SUPPORTED);
  const proto::CtlResponse response = Set("partner.example", values, {"tls", "dialback"});
  EXPECT_EQ(response.exit_code(), 1U);
  EXPECT_THAT(response.error(), HasSubstr("E1: SASL cannot work without TLS"));
  EXPECT_EQ(hash(), hash_before);
}

TEST_F(EngineTest, SettingWhatIsSetAlreadyIsNoChange) {
  New("partner.example");
  const std::string hash_before = hash();
  proto::Partner values;
  values.set_tls(proto::REQUIRED);
  EXPECT_EQ(Set("partner.example", values, {"tls"}).exit_code(), 0U);
  EXPECT_EQ(hash(), hash_before);
  EXPECT_EQ(Audit().size(), 1U);
}

TEST_F(EngineTest, FieldsThatCannotBeSetAreRefused) {
  New("partner.example");
  for (const char* field : {"id", "domain", "revision", "colour"}) {
    const proto::CtlResponse response = Set("partner.example", {}, {field});
    EXPECT_EQ(response.exit_code(), 1U) << field;
    EXPECT_THAT(response.error(), HasSubstr("cannot be set; what can be set is")) << field;
  }
  EXPECT_THAT(Set("partner.example", {}, {}).error(), HasSubstr("nothing is named"));
}

TEST_F(EngineTest, FindsAPartnerByAnyDomainButChangesItByItsPrimaryOneOnly) {
  proto::Partner partner = DefaultPartner();
  partner.set_domain("partner.example");
  partner.add_additional_domains("more.example");
  New(partner);
  EXPECT_EQ(Get("more.example").partners().partners(0).partner().domain(), "partner.example");
  EXPECT_THAT(Remove("more.example").error(), HasSubstr("additional domain of partner"));
  EXPECT_THAT(Get("sub.more.example").error(), HasSubstr("no partner has the domain"));
  EXPECT_THAT(Get("@").error(), HasSubstr("is not a domain"));
}

TEST_F(EngineTest, ARemovedPartnerIsGoneFromStoreAndSnapshot) {
  New("partner.example");
  EXPECT_EQ(Remove("partner.example").exit_code(), 0U);
  EXPECT_EQ(engine_.policy().snapshot.partners_size(), 0);
  EXPECT_EQ(Remove("partner.example").exit_code(), 1U);
  EXPECT_EQ(Audit()[0].action, "partner remove");
  EXPECT_FALSE(Audit()[0].changes[0].has_after());
}

TEST_F(EngineTest, GatewaySettingsAreCheckedStoredAndPublished) {
  proto::CtlRequest request;
  request.mutable_gateway_set()->mutable_settings()->set_keep_alive_interval_s(120);
  request.mutable_gateway_set()->add_fields("keep_alive_interval_s");
  EXPECT_EQ(Answer(request).gateway().keep_alive_interval_s(), 120U);
  EXPECT_EQ(engine_.policy().snapshot.gateway().keep_alive_interval_s(), 120U);
  EXPECT_EQ(engine_.policy().snapshot.gateway().connection_limit(), 1000U);
  request.mutable_gateway_set()->mutable_settings()->set_keep_alive_interval_s(0);
  EXPECT_EQ(Answer(request).exit_code(), 1U);
  proto::CtlRequest get;
  get.mutable_gateway_get();
  EXPECT_EQ(Answer(get).gateway().keep_alive_interval_s(), 120U);
}

TEST_F(EngineTest, TheNextLifePublishesTheSameSnapshot) {
  New("partner.example");
  EXPECT_EQ(Open().policy().snapshot.hash(), hash());
}

TEST_F(EngineTest, APartnerWhoseDomainBecomesOursIsLeftOutUntilItIsNot) {
  New("partner.example");
  const std::string hash_before = hash();
  engine_.SetServed({"contoso.example", "partner.example"});
  EXPECT_EQ(engine_.policy().snapshot.partners_size(), 0);
  EXPECT_EQ(engine_.policy().rejected.size(), 1U);
  engine_.SetServed({"contoso.example"});
  EXPECT_EQ(hash(), hash_before);
}

TEST_F(EngineTest, CommandsOfOthersAreWrongUsage) {
  proto::CtlRequest request;
  request.mutable_reload();
  EXPECT_EQ(Answer(request).exit_code(), 2U);
}

TEST_F(EngineTest, AChangeIsRefusedWhenTheStoreHasMovedOn) {
  const std::uint64_t seen = New("first.example").revision();
  New("second.example");
  proto::CtlRequest request;
  request.mutable_partner_remove()->set_domain("first.example");
  request.set_if_revision(seen);
  const proto::CtlResponse late = Answer(request);
  EXPECT_EQ(late.exit_code(), 1U);
  EXPECT_EQ(late.error(),
            "the store is at revision 3, not 2: it was changed meanwhile; see what with "
            "gatehousectl config history, then name the revision it is at");
  EXPECT_EQ(engine_.policy().snapshot.partners_size(), 2);
  request.set_if_revision(late.revision());
  EXPECT_EQ(Answer(request).exit_code(), 0U);
}

TEST_F(EngineTest, TheAuditSaysWhoWhenWhatAndWhyFieldByField) {
  New("partner.example");
  proto::CtlRequest request;
  request.set_reason("their certificate has run out");
  request.mutable_partner_set()->set_domain("partner.example");
  request.mutable_partner_set()->mutable_partner()->set_tls(proto::OPTIONAL);
  request.mutable_partner_set()->add_fields("tls");
  ASSERT_EQ(Answer(request).exit_code(), 0U);
  proto::CtlRequest ask;
  ask.mutable_audit_get()->set_last(1);
  ask.mutable_audit_get()->set_subject("Partner.Example");
  const proto::CtlResponse response = Answer(ask);
  ASSERT_EQ(response.audit().records_size(), 1);
  const proto::AuditRecord& record = response.audit().records(0);
  EXPECT_EQ(record.revision(), 3U);
  EXPECT_EQ(record.user(), "alice");
  EXPECT_EQ(record.uid(), 1001);
  EXPECT_EQ(record.at_unix_ms(), 1234);
  EXPECT_EQ(record.reason(), "their certificate has run out");
  ASSERT_EQ(record.changes_size(), 1);
  EXPECT_EQ(record.changes(0).kind(), "partner");
  EXPECT_EQ(record.changes(0).key(), "partner.example");
  ASSERT_EQ(record.changes(0).fields_size(), 1);
  EXPECT_EQ(record.changes(0).fields(0).field(), "tls");
  EXPECT_EQ(record.changes(0).fields(0).before(), "required");
  EXPECT_EQ(record.changes(0).fields(0).after(), "optional");
}

TEST_F(EngineTest, AReasonOfSeveralLinesOrWithoutEndIsRefused) {
  proto::CtlRequest request;
  request.mutable_partner_new()->mutable_partner()->set_domain("partner.example");
  request.set_reason("one\ntwo");
  EXPECT_THAT(Answer(request).error(), HasSubstr("write it on one line"));
  request.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(Answer(request).error(), HasSubstr("at most 1024 are possible"));
  EXPECT_TRUE(Audit().empty());
}

class DataAsAWhole : public EngineTest {
 protected:
  static std::string AnyOf(std::uint32_t number, const std::vector<std::string>& words) {
    return words[number % words.size()];
  }
  // Partners that pass the rules.
  static proto::FederationData Generated(unsigned seed) {
    std::mt19937 source(seed);
    const auto random = [&source] { return static_cast<std::uint32_t>(source()); };
    proto::FederationData data;
    *data.mutable_gateway() = DefaultGatewaySettings();
    data.mutable_gateway()->set_keep_alive_interval_s(1 + random() % 1000);
    data.add_policies()->set_name("global");
    for (unsigned i = 0; i < random() % 6; ++i) {
      proto::Partner& partner = *data.add_partners();
      partner = DefaultPartner();
      partner.set_domain(fmt::format("p{}.example", i));
      if (random() % 2 == 0) partner.add_additional_domains(fmt::format("a{}.example", i));
      partner.set_type(static_cast<proto::PartnerType>(random() % 3));
      partner.set_tls(static_cast<proto::Negotiation>(random() % 2));
      partner.set_sasl(static_cast<proto::Negotiation>(random() % 2));
      partner.set_enabled(random() % 2 == 0);
      partner.set_dane(random() % 2 == 0 ? proto::OFF : proto::REPORT);
      partner.set_connection_limit(random() % 100);
      partner.set_proxy(AnyOf(random(), {"", "proxy.example", "[2001:db8::1]:5270"}));
      partner.set_description(AnyOf(random(), {"", "true", "~", "a: b # c", "\"'\\", "Grüße"}));
    }
    return data;
  }
  proto::CtlResponse Apply(const proto::FederationData& data, bool dry_run = false,
                           const std::vector<std::string>& sections = {"gateway", "partners"}) {
    proto::CtlRequest request;
    *request.mutable_apply()->mutable_data() = data;
    for (const std::string& section : sections) request.mutable_apply()->add_sections(section);
    request.mutable_apply()->set_dry_run(dry_run);
    request.mutable_apply()->set_file("partners.yaml");
    return Answer(request);
  }
  proto::FederationData Export() {
    proto::CtlRequest request;
    request.mutable_export_data();
    return Answer(request).federation_data();
  }
  proto::CtlResponse RollBack(std::uint64_t revision) {
    proto::CtlRequest request;
    request.mutable_config_rollback()->set_revision(revision);
    return Answer(request);
  }
  proto::ChangeReport Diff(std::uint64_t from, std::uint64_t to) {
    proto::CtlRequest request;
    request.mutable_config_diff()->set_from(from);
    request.mutable_config_diff()->set_to(to);
    return Answer(request).changes();
  }
};

TEST_F(DataAsAWhole, WhatIsAppliedIsWhatIsExported) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const proto::FederationData data = Generated(seed);
    const proto::CtlResponse applied = Apply(data);
    ASSERT_EQ(applied.exit_code(), 0U) << applied.DebugString();
    ASSERT_EQ(Export().SerializeAsString(), data.SerializeAsString()) << seed;
    const std::string before = hash();
    EXPECT_EQ(Apply(Export()).changes().changes_size(), 0);
    EXPECT_EQ(hash(), before);
  }
}

TEST_F(DataAsAWhole, EveryRevisionCanComeBack) {
  std::vector<std::pair<std::uint64_t, std::string>> known = {
      {engine_.policy().snapshot.revision(), Export().SerializeAsString()}};
  for (unsigned seed = 0; seed < 8; ++seed) {
    const std::uint64_t revision = Apply(Generated(seed)).revision();
    known.emplace_back(revision, Export().SerializeAsString());
  }
  for (const auto& [revision, data] : known) {
    const proto::CtlResponse back = RollBack(revision);
    ASSERT_EQ(back.exit_code(), 0U) << back.error();
    EXPECT_EQ(Export().SerializeAsString(), data) << revision;
    EXPECT_EQ(Diff(revision, 0).changes_size(), 0);
  }
  EXPECT_EQ(Audit().front().action, "config rollback");
  EXPECT_EQ(Open().policy().snapshot.hash(), hash());
}

TEST_F(DataAsAWhole, AnApplyIsOneRevisionAndLeavesTheOtherRecordsUntouched) {
  proto::FederationData data = Generated(3);
  ASSERT_GE(data.partners_size(), 2);
  Apply(data);
  const proto::Partner first = engine_.policy().snapshot.partners(0);
  const proto::Partner second = engine_.policy().snapshot.partners(1);
  data.mutable_partners(1)->set_description("another");
  const proto::CtlResponse applied = Apply(data);
  EXPECT_EQ(applied.changes().changes_size(), 1);
  EXPECT_EQ(applied.revision(), applied.changes().from() + 1);
  EXPECT_EQ(engine_.policy().snapshot.partners(0).SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(engine_.policy().snapshot.partners(1).id(), second.id());
  EXPECT_EQ(Audit().front().subject, "partners.yaml");
}

TEST_F(DataAsAWhole, ADryRunSaysWhatWouldChangeAndChangesNothing) {
  New("old.example");
  const std::string before = hash();
  proto::FederationData data;
  *data.add_partners() = DefaultPartner();
  data.mutable_partners(0)->set_domain("new.example");
  const proto::CtlResponse dry = Apply(data, true, {"partners"});
  EXPECT_EQ(dry.exit_code(), 0U);
  EXPECT_EQ(dry.changes().to(), 0U);
  ASSERT_EQ(dry.changes().changes_size(), 2);
  EXPECT_EQ(dry.changes().changes(0).verb(), proto::ChangeView::REMOVED);
  EXPECT_EQ(dry.changes().changes(1).verb(), proto::ChangeView::ADDED);
  EXPECT_EQ(hash(), before);
  EXPECT_EQ(Audit().size(), 1U);
}

TEST_F(DataAsAWhole, ANewDomainThatLooksLikeAnotherIsConfirmedFirstAndThenStays) {
  New("fabrikam.example");
  proto::FederationData data = Export();
  *data.add_partners() = DefaultPartner();
  data.mutable_partners(1)->set_domain("northwind.example");
  data.mutable_partners(1)->add_additional_domains("*.fabrikarn.example");
  const proto::CtlResponse refused = Apply(data);
  EXPECT_EQ(refused.exit_code(), 1U);
  ASSERT_EQ(refused.mistakes_size(), 1);
  EXPECT_EQ(refused.mistakes(0).key(), "partners[1].additional_domains");
  EXPECT_THAT(refused.mistakes(0).what(), HasSubstr("looks like 'fabrikam.example'"));

  proto::CtlRequest confirmed;
  *confirmed.mutable_apply()->mutable_data() = data;
  confirmed.mutable_apply()->add_sections("partners");
  confirmed.mutable_apply()->set_allow_lookalike(true);
  EXPECT_EQ(Answer(confirmed).exit_code(), 0U);
  data.mutable_partners(1)->set_description("another");
  EXPECT_EQ(Apply(data).exit_code(), 0U) << "it is there already";
}

TEST_F(DataAsAWhole, OneMistakeRefusesAllOfItAndAllMistakesAreNamed) {
  proto::FederationData data;
  *data.mutable_gateway() = DefaultGatewaySettings();
  data.mutable_gateway()->set_connection_limit(0);
  for (const char* domain : {"good.example", "@", "good.example", "contoso.example"}) {
    *data.add_partners() = DefaultPartner();
    data.mutable_partners(data.partners_size() - 1)->set_domain(domain);
  }
  data.mutable_partners(1)->set_proxy("no proxy");
  const proto::CtlResponse refused = Apply(data);
  EXPECT_EQ(refused.exit_code(), 1U);
  std::vector<std::string> keys;
  for (const proto::Mistake& mistake : refused.mistakes()) keys.push_back(mistake.key());
  EXPECT_THAT(keys, ElementsAre("gateway.connection_limit", "partners[1].domain",
                                "partners[1].proxy", "partners[2].domain", "partners[3].domain"));
  EXPECT_THAT(refused.mistakes(3).what(), HasSubstr("name it once"));
  EXPECT_TRUE(Export().partners().empty());
  EXPECT_TRUE(Audit().empty());
}

TEST_F(DataAsAWhole, ARollbackToWhatIsNotValidTodayIsRefused) {
  const std::uint64_t with = New("partner.example").revision();
  Remove("partner.example");
  engine_.SetServed({"contoso.example", "partner.example"});
  const proto::CtlResponse refused = RollBack(with);
  EXPECT_EQ(refused.exit_code(), 1U);
  EXPECT_THAT(refused.error(),
              HasSubstr("would not be valid today: partner partner.example: domain "
                        "'partner.example' is one of our own"));
  EXPECT_TRUE(Export().partners().empty());
  EXPECT_THAT(RollBack(99).error(), HasSubstr("there is no revision 99"));
  EXPECT_THAT(RollBack(0).error(), HasSubstr("there is no revision 0"));
}

TEST_F(DataAsAWhole, ADiffNamesTheFieldsThatDiffer) {
  const std::uint64_t from = New("partner.example").revision();
  proto::Partner values;
  values.set_tls(proto::OPTIONAL);
  const std::uint64_t to = Set("partner.example", values, {"tls"}).revision();
  Remove("partner.example");
  const proto::ChangeReport report = Diff(from, to);
  ASSERT_EQ(report.changes_size(), 1);
  ASSERT_EQ(report.changes(0).fields_size(), 1);
  EXPECT_EQ(report.changes(0).fields(0).before(), "required");
  EXPECT_EQ(report.changes(0).fields(0).after(), "optional");
  EXPECT_EQ(Diff(from, 0).changes(0).verb(), proto::ChangeView::REMOVED);
}

class WholeStore : public DataAsAWhole {
 protected:
  // What `backup` gives, whole.
  std::string BackUp() {
    std::ofstream(folder_.File("copy.db")).close();
    Result<StoreCopy> copy = engine_.CopyTo(folder_.File("copy.db"), {}, {});
    EXPECT_TRUE(copy.has_value()) << copy.error().text;
    while (!*copy->Step(1)) New(fmt::format("during{}.example", ++during_));
    return folder_.File("copy.db");
  }
  proto::CtlResponse Take(const std::string& file) {
    proto::CtlRequest request;
    request.set_actor("alice");
    request.set_reason("the disk died");
    request.mutable_restore_write()->set_file("/root/copy.db");
    return engine_.TakeStore(file, request, {});
  }
  int during_ = 0;
};

TEST_F(WholeStore, ACopyMadeWhileItIsWrittenToIsSoundAndComplete) {
  for (int i = 0; i < 5; ++i) New(fmt::format("p{}.example", i));
  const std::string copy = BackUp();
  EXPECT_GT(during_, 3);
  Result<Store> store = Store::Open(copy);
  ASSERT_TRUE(store.has_value()) << store.error().text;
  const Result<StoreContent> content = store->Read();
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->data.partners_size(), 5 + during_);
  EXPECT_EQ(WithoutKept(content->data).SerializeAsString(), Export().SerializeAsString());
  EXPECT_EQ(Audit().back().action, "partner new");
}

TEST_F(WholeStore, ARestoredStoreIsInForceAtOnceAndTheOneBeforeIsKept) {
  Apply(Generated(5));
  const std::string data = Export().SerializeAsString();
  const std::string copy = BackUp();
  const std::string copied = Export().SerializeAsString();
  ASSERT_NE(data, copied);
  New("later.example");
  const std::uint64_t newest = engine_.policy().snapshot.revision();
  const proto::CtlResponse taken = Take(copy);
  ASSERT_EQ(taken.exit_code(), 0U) << taken.error();
  EXPECT_EQ(Export().SerializeAsString(), copied);
  EXPECT_EQ(engine_.policy().snapshot.revision(), newest + 1);
  EXPECT_EQ(Audit().front().action, "restore");
  EXPECT_EQ(Audit().front().subject, "/root/copy.db");
  EXPECT_EQ(Audit().front().reason, "the disk died");
  const std::string kept = folder_.File("policy.db.before-restore-19700101T000000Z");
  EXPECT_THAT(taken.done(), HasSubstr(kept));
  EXPECT_EQ(Store::Open(kept)->Read()->revision, newest);
  EXPECT_EQ(Open().policy().snapshot.hash(), hash());
  EXPECT_EQ(New("more.example").exit_code(), 0U);
  EXPECT_EQ(RollBack(newest + 1).exit_code(), 0U);
}

TEST_F(WholeStore, WhatIsNoSoundStoreOfOursIsRefusedAndChangesNothing) {
  New("partner.example");
  const std::string copy = BackUp();
  std::string bytes = [&copy] {
    std::ifstream file(copy, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  const std::string before = hash();
  const auto refused = [&](const std::string& content) {
    std::ofstream(copy, std::ios::binary | std::ios::trunc) << content;
    const proto::CtlResponse response = Take(copy);
    EXPECT_EQ(response.exit_code(), 1U);
    EXPECT_EQ(hash(), before);
    return response.error();
  };
  EXPECT_THAT(refused(""), HasSubstr("empty or cut short"));
  EXPECT_THAT(refused(bytes.substr(0, bytes.size() / 2)), HasSubstr("not a store"));
  EXPECT_THAT(refused(std::string(8192, 'x')), HasSubstr("file is not a database"));
  std::string other = bytes;
  other.replace(68, 4, "ELSE");  // the application's id
  EXPECT_THAT(refused(other), HasSubstr("not a Gatehouse store"));
  std::ofstream(copy, std::ios::binary | std::ios::trunc) << bytes;
  ASSERT_TRUE(SqliteDatabase::Open(copy)
                  ->Run("UPDATE partner SET sasl = 'not-supported', dialback = 0")
                  .has_value());
  EXPECT_THAT(Take(copy).error(), HasSubstr("its checksum differs"));
  std::ofstream(copy, std::ios::binary | std::ios::trunc) << bytes;
  Remove("partner.example");
  engine_.SetServed({"contoso.example", "partner.example"});
  const std::string today = hash();
  EXPECT_THAT(Take(copy).error(),
              HasSubstr("would not be valid today: partner partner.example: domain "
                        "'partner.example' is one of our own"));
  EXPECT_EQ(hash(), today);
}

class StreamsOfAPartner : public EngineTest {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;

  StreamsOfAPartner() {
    proto::Partner partner = DefaultPartner();
    partner.set_domain("partner.example");
    partner.set_tls(proto::OPTIONAL);
    id_ = New(partner).partners().partners(0).partner().id();
  }
  proto::StreamRecord Record(bool outbound, const std::string& method, const std::string& tls) {
    proto::StreamRecord record;
    record.set_partner_id(id_);
    record.set_outbound(outbound);
    record.set_method(method);
    record.set_tls(tls);
    return record;
  }
  void Note(const proto::StreamRecord& record, std::int64_t now = kNow) {
    proto::StreamsSeen seen;
    *seen.add_streams() = record;
    const Result<void> noted = engine_.NoteStreams(seen, now);
    EXPECT_TRUE(noted.has_value()) << noted.error().text;
  }
  proto::PartnerView Explain() {
    proto::CtlRequest request;
    request.mutable_partner_explain()->set_domain("partner.example");
    return Answer(request).partners().partners(0);
  }
  std::uint64_t TlsSeen() { return engine_.policy().snapshot.partners(0).tls_seen_unix(); }

  std::string id_;
};

TEST_F(StreamsOfAPartner, AnOutboundSuccessOverTlsIsStoredAndPublished) {
  const std::string before = hash();
  Note(Record(false, "sasl_tls", "TLSv1.3"));
  Note(Record(true, "", "TLSv1.3"));
  Note(Record(true, "tcp_dialback", ""));
  EXPECT_EQ(hash(), before);
  Note(Record(true, "tls_dialback", "TLSv1.3"));
  EXPECT_NE(hash(), before);
  EXPECT_EQ(TlsSeen(), static_cast<std::uint64_t>(kNow));
}

TEST_F(StreamsOfAPartner, ASuccessOverTlsIsWrittenOnceADay) {
  Note(Record(true, "sasl_tls", "TLSv1.3"));
  const std::string before = hash();
  Note(Record(true, "sasl_tls", "TLSv1.3"), kNow + 86399);
  EXPECT_EQ(hash(), before);
  Note(Record(true, "sasl_tls", "TLSv1.3"), kNow + 86400);
  EXPECT_EQ(TlsSeen(), static_cast<std::uint64_t>(kNow + 86400));
}

TEST_F(StreamsOfAPartner, TheOperatorMayLetTlsBeForgotten) {
  Note(Record(true, "sasl_tls", "TLSv1.3"));
  proto::CtlRequest forget;
  forget.mutable_partner_forget_tls()->set_domain("partner.example");
  EXPECT_EQ(Answer(forget).exit_code(), 0U);
  EXPECT_EQ(TlsSeen(), 0U);
  EXPECT_EQ(Audit().front().action, "partner forget-tls");
}

TEST_F(StreamsOfAPartner, TheExplanationShowsTheLastOnesNewestFirst) {
  for (int i = 0; i < 10; ++i) {
    proto::StreamRecord record = Record(true, "sasl_tls", "TLSv1.3");
    record.set_peer(std::to_string(i));
    Note(record);
  }
  const proto::PartnerView view = Explain();
  ASSERT_EQ(view.last_streams_size(), static_cast<int>(StreamMemory::kKept));
  EXPECT_EQ(view.last_streams(0).peer(), "9");
  EXPECT_EQ(view.row(), 3U);
  EXPECT_FALSE(view.inbound().empty());
  EXPECT_FALSE(view.outbound().empty());
}

TEST_F(StreamsOfAPartner, AStreamOfARemovedPartnerIsNotKept) {
  proto::StreamRecord record = Record(true, "sasl_tls", "TLSv1.3");
  record.set_partner_id("another");
  Note(record);
  EXPECT_EQ(Explain().last_streams_size(), 0);
  EXPECT_EQ(TlsSeen(), 0U);
}

TEST_F(EngineTest, APolicyTestThatIsRefusedEndsWithOneAndSaysWhyAllTheSame) {
  New("partner.example");
  proto::CtlRequest access;
  access.mutable_policy_set()->set_name("global");
  access.mutable_policy_set()->mutable_policy()->set_xmpp_access(true);
  access.mutable_policy_set()->add_fields("xmpp_access");
  ASSERT_EQ(Answer(access).exit_code(), 0U);
  proto::CtlRequest request;
  request.mutable_policy_test()->set_from("bob@partner.example");
  request.mutable_policy_test()->set_to("ann@contoso.example");
  request.mutable_policy_test()->set_kind("message");
  const proto::CtlResponse refused = Answer(request);
  EXPECT_EQ(refused.exit_code(), 1U);
  EXPECT_EQ(refused.verdict().reason(), "contact-not-authorised");
  EXPECT_THAT(refused.error(), HasSubstr("refused: "));
  proto::ContactSeen seen;
  seen.set_sip_user("ann@contoso.example");
  seen.set_contact("bob@partner.example");
  ASSERT_TRUE(engine_.NoteContacts(std::span(&seen, 1), 1).has_value());
  const proto::CtlResponse allowed = Answer(request);
  EXPECT_EQ(allowed.exit_code(), 0U) << allowed.error();
  EXPECT_EQ(allowed.verdict().contact_state(), "authorised");
}

class ContactsOfUsers : public EngineTest {
 protected:
  ContactsOfUsers() { New("partner.example"); }
  static constexpr std::int64_t kNow = 1'800'000'000;
  proto::ContactState Ask(const std::string& user, const std::string& contact,
                          std::int64_t now = kNow) {
    proto::ContactWanted wanted;
    wanted.set_sip_user(user);
    wanted.set_contact(contact);
    const auto state = engine_.ContactOf(wanted, now);
    EXPECT_TRUE(state.has_value()) << state.error().text;
    return state.value_or(proto::CONTACT_UNKNOWN);
  }
  proto::ContactState Subscribe(const std::string& user, const std::string& contact) {
    proto::ContactSeen seen;
    seen.set_sip_user(user);
    seen.set_contact(contact);
    const auto states = engine_.NoteContacts(std::span(&seen, 1), kNow);
    EXPECT_TRUE(states.has_value()) << states.error().text;
    return states->front();
  }
};

TEST_F(ContactsOfUsers, ASubscribeAuthorisesForTheTimeTheGatewaySays) {
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  const std::string hash_before = hash();
  EXPECT_EQ(Subscribe("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_AUTHORISED);
  EXPECT_EQ(hash(), hash_before);
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_AUTHORISED);
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example", kNow + 2'592'000),
            proto::CONTACT_UNKNOWN);
  proto::CtlRequest set;
  set.mutable_gateway_set()->mutable_settings()->set_authorisation_ttl_s(60);
  set.mutable_gateway_set()->add_fields("authorisation_ttl_s");
  ASSERT_EQ(Answer(set).exit_code(), 0U);
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example", kNow + 60), proto::CONTACT_UNKNOWN);
}

TEST_F(ContactsOfUsers, NobodyOutsideOurDomainsHasContactsAndNobodyOutsideThePartnersIsOne) {
  EXPECT_EQ(Subscribe("ann@elsewhere.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_EQ(Ask("ann@elsewhere.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_EQ(Subscribe("ann@contoso.example", "romeo@elsewhere.example"), proto::CONTACT_UNKNOWN);
}

TEST_F(ContactsOfUsers, AddressesThatAreNotBareAndPreparedAreASiblingsFault) {
  for (const auto& [user, contact] :
       {std::pair{"Ann@contoso.example", "romeo@partner.example"},
        std::pair{"ann@contoso.example/desk", "romeo@partner.example"},
        std::pair{"ann@contoso.example", "romeo@@partner.example"},
        std::pair{"", "romeo@partner.example"}})
    EXPECT_EQ(Engine::CheckAddresses(user, contact).error().fault, Fault::kPeer) << user;
}

TEST_F(ContactsOfUsers, WithAPartnerItsContactsGoAndTheSnapshotSaysSo) {
  Subscribe("ann@contoso.example", "romeo@partner.example");
  const std::uint64_t epoch = engine_.policy().snapshot.contacts_epoch();
  EXPECT_NE(epoch, 0U);
  Remove("partner.example");
  EXPECT_EQ(engine_.policy().snapshot.contacts_epoch(), epoch + 1);
  New("partner.example");
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
}

class ContactCommandsOfTheEngine : public ContactsOfUsers {
 protected:
  proto::CtlResponse Change(proto::ContactChange::Verb verb, const std::string& user,
                            const std::string& contact) {
    proto::CtlRequest request;
    request.mutable_contact_change()->set_verb(verb);
    proto::ContactName& name = *request.mutable_contact_change()->add_contacts();
    name.set_sip_user(user);
    name.set_contact(contact);
    return Answer(request);
  }
  proto::ContactViews List(const std::string& user) {
    proto::CtlRequest request;
    request.mutable_contact_list()->set_sip_user(user);
    request.mutable_contact_list()->set_limit(10);
    return Answer(request).contacts();
  }
  // EngineTest's commands are given 1.234 s after 1970.
  proto::ContactState AskThen(const std::string& user, const std::string& contact) {
    return Ask(user, contact, 1);
  }
};

TEST_F(ContactCommandsOfTheEngine, AllowAuthorisesAuditsAndVoidsEarlierAnswers) {
  const std::uint64_t epoch = engine_.policy().snapshot.contacts_epoch();
  const proto::CtlResponse response =
      Change(proto::ContactChange::ALLOW, "sip:Ann@contoso.example", "Romeo@partner.example");
  EXPECT_EQ(response.exit_code(), 0U) << response.error();
  EXPECT_EQ(response.done(), "contact 'romeo@partner.example' of 'ann@contoso.example' is allowed");
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_AUTHORISED);
  EXPECT_EQ(engine_.policy().snapshot.contacts_epoch(), epoch + 1);
  EXPECT_EQ(Audit()[0].action, "contact allow");
  EXPECT_EQ(Audit()[0].subject, "ann@contoso.example romeo@partner.example");
  EXPECT_EQ(Audit()[0].before, "");
  EXPECT_EQ(Audit()[0].after, R"({"state":"allowed","seen_unix":1})");
}

TEST_F(ContactCommandsOfTheEngine, BlockAndForgetChangeWhatIsThere) {
  Change(proto::ContactChange::ALLOW, "ann@contoso.example", "romeo@partner.example");
  Change(proto::ContactChange::BLOCK, "ann@contoso.example", "romeo@partner.example");
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_BLOCKED);
  EXPECT_EQ(List("sip:ann@contoso.example").contacts(0).state(), "blocked");
  EXPECT_EQ(List("sip:ann@contoso.example").contacts(0).ends_unix(), 0);
  EXPECT_EQ(Change(proto::ContactChange::FORGET, "ann@contoso.example", "romeo@partner.example")
                .exit_code(),
            0U);
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_TRUE(List("ann@contoso.example").contacts().empty());
  EXPECT_EQ(Audit()[0].after, "");
  const proto::CtlResponse again =
      Change(proto::ContactChange::FORGET, "ann@contoso.example", "romeo@partner.example");
  EXPECT_EQ(again.exit_code(), 1U);
  EXPECT_THAT(again.error(), HasSubstr("see gatehousectl contact list"));
}

TEST_F(ContactCommandsOfTheEngine, AUserMayBeWrittenAsSipWritesHim) {
  Change(proto::ContactChange::ALLOW, "sip:o'malley@contoso.example", "romeo@partner.example");
  EXPECT_EQ(AskThen("o\\27malley@contoso.example", "romeo@partner.example"),
            proto::CONTACT_AUTHORISED);
}

TEST_F(ContactCommandsOfTheEngine, WhoCannotBeNamedIsRefusedAndNothingChanges) {
  struct Row {
    const char* user;
    const char* contact;
    const char* why;
  };
  for (const Row& row :
       {Row{"sip:ann@elsewhere.example", "romeo@partner.example",
            "in no domain of ours; they are contoso.example"},
        Row{"sips:ann@contoso.example", "romeo@partner.example", "write one like"},
        Row{"sip:@contoso.example", "romeo@partner.example", "is no SIP address of a user"},
        Row{"contoso.example", "romeo@partner.example", "is not one user"},
        Row{"ann@contoso.example", "romeo@elsewhere.example",
            "no partner has the domain 'elsewhere.example'"},
        Row{"ann@contoso.example", "romeo@partner.example/home", "write 'romeo@partner.example'"},
        Row{"ann@contoso.example", "@partner.example", "is no XMPP address"}}) {
    const std::string before = hash();
    const proto::CtlResponse response = Change(proto::ContactChange::ALLOW, row.user, row.contact);
    EXPECT_EQ(response.exit_code(), 1U) << row.user << ' ' << row.contact;
    EXPECT_THAT(response.error(), HasSubstr(row.why));
    EXPECT_EQ(hash(), before);
  }
}

TEST_F(ContactCommandsOfTheEngine, ManyAreChangedTogetherOrNotAtAll) {
  proto::CtlRequest request;
  for (const char* contact : {"romeo@partner.example", "x@elsewhere.example"}) {
    proto::ContactName& name = *request.mutable_contact_change()->add_contacts();
    name.set_sip_user("ann@contoso.example");
    name.set_contact(contact);
  }
  EXPECT_EQ(Answer(request).exit_code(), 1U);
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  request.mutable_contact_change()->mutable_contacts(1)->set_contact("nurse@partner.example");
  EXPECT_EQ(Answer(request).done(), "2 contacts are allowed");
  EXPECT_EQ(AskThen("ann@contoso.example", "nurse@partner.example"), proto::CONTACT_AUTHORISED);
}

}  // namespace
}  // namespace gatehouse::policy_engine
