#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/policy/partner_type.h"
#include "core/policy/partner_words.h"
#include "plugins/policy_engine/engine.h"
#include "tests/unit/plugins/policy_engine/engine_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
      partner.set_type(kPresetTypes.at(random() % 3).name);
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

TEST_F(DataAsAWhole, BlocksThatGoWithTheirPartnerAreToldAndAudited) {
  const std::uint64_t before = engine_.policy().snapshot.revision();
  New("partner.example");
  proto::CtlRequest block;
  block.mutable_contact_change()->set_verb(proto::ContactChange::BLOCK);
  proto::ContactName& name = *block.mutable_contact_change()->add_contacts();
  name.set_sip_user("ann@contoso.example");
  name.set_contact("romeo@partner.example");
  ASSERT_EQ(Answer(block).exit_code(), 0U);
  const proto::ChangeReport report = RollBack(before).changes();
  ASSERT_EQ(report.changes_size(), 2);
  EXPECT_EQ(report.changes(1).kind(), "contact");
  EXPECT_EQ(report.changes(1).key(), "partner.example");
  EXPECT_EQ(report.changes(1).fields(0).field(), "blocked_contacts");
  const auto is_noted = [](const AuditEntry& entry) {
    return entry.action == "config rollback" && entry.subject == "partner.example" &&
           entry.before == kLiftedBlocks && entry.revision == 0;
  };
  EXPECT_EQ(std::ranges::count_if(Audit(), is_noted), 1);
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
    Result<StoreCopy> copy = engine_.CopyTo(folder_.File("copy.db"));
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
  const std::uint64_t second = engine_.policy().snapshot.revision();
  EXPECT_THAT(Take(copy).done(), HasSubstr(kept + "-2"));  // in the same second
  EXPECT_EQ(Store::Open(kept)->Read()->revision, newest);
  EXPECT_EQ(Store::Open(kept + "-2")->Read()->revision, second);
  EXPECT_EQ(Open().policy().snapshot.hash(), hash());
  EXPECT_EQ(New("more.example").exit_code(), 0U);
  EXPECT_EQ(RollBack(newest + 1).exit_code(), 0U);
}

TEST_F(WholeStore, ARestoredStoreThatLetsNobodyInSaysSo) {
  New("partner.example");
  EXPECT_TRUE(engine_.policy().nobody_may);
  EXPECT_THAT(Take(BackUp()).done(), HasSubstr("no access policy lets anybody talk with partners"));
  proto::CtlRequest request;
  request.mutable_policy_set()->set_name("global");
  request.mutable_policy_set()->mutable_policy()->set_xmpp_access(true);
  request.mutable_policy_set()->add_fields("xmpp_access");
  Answer(request);
  EXPECT_FALSE(engine_.policy().nobody_may);
  EXPECT_THAT(Take(BackUp()).done(), testing::Not(HasSubstr("access policy")));
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
  EXPECT_EQ(refused(""),
            "this is not a store to be restored: '/root/copy.db': the file is empty or cut short; "
            "name another backup");
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
  ASSERT_TRUE(SqliteDatabase::Open(copy)
                  ->Run("CREATE TRIGGER later AFTER INSERT ON audit BEGIN"
                        " UPDATE partner SET dialback = 0; END")
                  .has_value());
  EXPECT_THAT(Take(copy).error(), HasSubstr("has the trigger or view 'later'"));
  std::ofstream(copy, std::ios::binary | std::ios::trunc) << bytes;
  Remove("partner.example");
  engine_.SetServed({"contoso.example", "partner.example"});
  const std::string today = hash();
  EXPECT_THAT(Take(copy).error(),
              HasSubstr("would not be valid today: partner partner.example: domain "
                        "'partner.example' is one of our own"));
  EXPECT_EQ(hash(), today);
}

}  // namespace
}  // namespace gatehouse::policy_engine
