#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/policy/partner_words.h"
#include "core/policy/policy_view.h"
#include "tests/unit/plugins/policy_engine/commanded_engine.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

class DomainsOfAnEngine : public CommandedEngine {
 protected:
  static proto::CtlRequest New(const std::string& domain, const std::string& additional = "") {
    proto::CtlRequest request;
    proto::Partner& partner = *request.mutable_partner_new()->mutable_partner();
    partner = DefaultPartner();
    partner.set_domain(domain);
    if (!additional.empty()) partner.add_additional_domains(additional);
    return request;
  }
  bool Knows(std::string_view domain) {
    return PolicyView(engine_.policy().snapshot).FindPartner(domain) != nullptr;
  }
  void Knock(const std::string& domain, std::uint64_t at = 1) {
    proto::StrangersSeen seen;
    proto::Stranger& stranger = *seen.add_strangers();
    stranger.set_domain(domain);
    stranger.set_knocks(1);
    stranger.set_first_unix(at);
    stranger.set_last_unix(at);
    engine_.NoteStrangers(seen);
  }
};

TEST_F(DomainsOfAnEngine, EachWrongDomainGetsOneSentenceWithTheRemedyByNewAndByImport) {
  ASSERT_EQ(Answer(New("fabrikam.example", "*.fabrikam.example")).exit_code(), 0U);
  Done("partner_deny { domain: '*.bad.example' }");
  struct Row {
    std::string domain, additional;
    std::string_view says;
  };
  const std::array rows = {
      Row{"", "", "the domain is empty"},
      Row{"localhost", "", "write one like partner.example"},
      Row{"192.0.2.1", "", "write one like partner.example"},
      Row{"a@b.example", "", "write one like partner.example"},
      Row{"-a-.example", "", "write one like partner.example"},
      Row{"contoso.example", "", "one of our own"},
      Row{"fabrikam.example", "", "exists already"},
      Row{"x.bad.example", "", "on the deny list by '*.bad.example'"},
      Row{"a.example", "a.example", "named twice"},
      Row{"a.example", "fabrikam.example", "is a partner of its own; leave it out here, or take"},
      Row{"a.example", "*.fabrikam.example",
          "additional domain of partner 'fabrikam.example'; leave it out here, or take it out "
          "there"},
      Row{"a.example", "*", "no wildcard"},
      Row{"a.example", "*.", "no wildcard"},
      Row{"a.example", "*a.example", "no wildcard"},
      Row{"a.example", "*.example", "everything below a top-level domain"},
      Row{"a.example", "a*.b.example", "is not a domain"},
      Row{"*.a.example", "", "cannot be a partner's first domain"},
      Row{"a.example", "*.x.bad.example", "on the deny list"},
      Row{"fabrikarn.example", "", "looks like 'fabrikam.example'"},
      Row{"contos\u043e.example", "", "mixes scripts"},
      Row{"a.example", "*.fabrikarn.example", "looks like 'fabrikam.example'"},
  };
  for (const Row& row : rows) {
    const proto::CtlRequest request = New(row.domain, row.additional);
    const proto::CtlResponse response = Answer(request);
    EXPECT_EQ(response.exit_code(), 1U) << row.says;
    EXPECT_THAT(response.error(), HasSubstr(row.says));
    proto::CtlRequest import;
    *import.mutable_import()->add_records()->mutable_partner() = request.partner_new().partner();
    const proto::CtlResponse imported = Answer(import);
    EXPECT_EQ(imported.exit_code(), 1U) << row.says;
    if (row.domain == "fabrikam.example") continue;  // told of --replace instead
    EXPECT_THAT(imported.imported().results(0).why(), HasSubstr(row.says));
  }
  proto::CtlRequest meant = New("fabrikarn.example");
  meant.mutable_partner_new()->set_allow_lookalike(true);
  EXPECT_EQ(Answer(meant).exit_code(), 0U);
  EXPECT_EQ(Answer(New("lab.fabrikam.example")).exit_code(), 0U) << "narrower than the wildcard";
}

TEST_F(DomainsOfAnEngine, AWildcardMayNotSwallowOurOwnDomain) {
  engine_.SetServed({"sip.contoso.example"});
  EXPECT_THAT(Answer(New("fabrikam.example", "*.contoso.example")).error(),
              HasSubstr("has our own domain 'sip.contoso.example' below it"));
}

TEST_F(DomainsOfAnEngine, APartnerExpiresAtItsSecond) {
  proto::CtlRequest request = New("fabrikam.example");
  proto::Partner& partner = *request.mutable_partner_new()->mutable_partner();
  partner.set_expires_unix(kNow - 1);
  EXPECT_THAT(Answer(request).error(), HasSubstr("expired already"));
  partner.set_expires_unix(kNow + 100);
  ASSERT_EQ(Answer(request).exit_code(), 0U);
  EXPECT_EQ(engine_.policy().next_expiry_unix, kNow + 100);
  engine_.OnTime(kNow + 99);
  EXPECT_TRUE(Knows("fabrikam.example"));
  engine_.OnTime(kNow + 100);
  EXPECT_FALSE(Knows("fabrikam.example"));
  EXPECT_EQ(engine_.policy().next_expiry_unix, 0);
  const auto shown = Answer("partner_list {}", kNow + 100).partners().partners(0);
  EXPECT_TRUE(shown.expired());
  EXPECT_TRUE(shown.partner().enabled()) << "that is the operator's setting";
  const auto other = Answer(
      "partner_set { domain: 'fabrikam.example' partner { description: 'x' } fields: 'description' "
      "}",
      kNow + 200);
  EXPECT_EQ(other.exit_code(), 0U) << "what else is set of an expired one: " << other.error();
  Done("partner_set { domain: 'fabrikam.example' partner {} fields: 'expires_unix' }");
  EXPECT_TRUE(Knows("fabrikam.example"));
}

TEST_F(DomainsOfAnEngine, TheDenyListAndThePartnersNeverNameTheSame) {
  Answer(New("fabrikam.example", "chat.adatum.example"));
  EXPECT_THAT(Refused("partner_deny { domain: 'fabrikam.example' }"),
              HasSubstr("gatehousectl partner set fabrikam.example --enabled false"));
  EXPECT_THAT(Refused("partner_deny { domain: '*.adatum.example' }"),
              HasSubstr("would deny 'chat.adatum.example' of partner 'fabrikam.example'"));
  EXPECT_THAT(Refused("partner_deny { domain: 'contoso.example' }"), HasSubstr("our own"));
  EXPECT_THAT(Refused("partner_deny { domain: '*.example' }"), HasSubstr("top-level"));
  Done("partner_deny { domain: 'Bad.example.' }");
  EXPECT_EQ(Done("partner_denied {}").denied().domains(0), "bad.example");
  EXPECT_EQ(Engine::Create(*Store::Open(folder_.File("policy.db")), {})
                ->policy()
                .snapshot.denied_domains_size(),
            1);
  Done("partner_undeny { domain: 'bad.example' }");
  EXPECT_THAT(Refused("partner_undeny { domain: 'bad.example' }"),
              HasSubstr("not on the deny list"));
  EXPECT_EQ(Answer(New("bad.example")).exit_code(), 0U);
}

TEST_F(DomainsOfAnEngine, WhatIsDeniedBelowAPartnersWildcardIsNotExplainedAsAPartner) {
  proto::CtlRequest fabrikam = New("fabrikam.example");
  fabrikam.mutable_partner_new()->mutable_partner()->add_additional_domains("*.fabrikam.example");
  ASSERT_EQ(Answer(fabrikam).exit_code(), 0U);
  proto::CtlRequest deny;
  deny.mutable_partner_deny()->set_domain("bad.fabrikam.example");
  ASSERT_EQ(Answer(deny).exit_code(), 0U);
  const auto explain = [this](const char* domain) {
    proto::CtlRequest request;
    request.mutable_partner_explain()->set_domain(domain);
    return Answer(request);
  };
  EXPECT_EQ(explain("good.fabrikam.example").exit_code(), 0U);
  EXPECT_THAT(explain("Bad.fabrikam.example").error(),
              HasSubstr("is denied by 'bad.fabrikam.example', before any partner"));
}

TEST_F(DomainsOfAnEngine, ADenialIsTakenBackWithItsRevisionAndComesBackWithIt) {
  const std::uint64_t before = Answer(New("fabrikam.example")).revision();
  const std::uint64_t with = Done("partner_deny { domain: '*.bad.example' }").revision();
  const auto roll_back = [this](std::uint64_t revision) {
    Done("config_rollback { revision: " + std::to_string(revision) + " }");
    return PolicyView(engine_.policy().snapshot).IsDenied("x.bad.example");
  };
  EXPECT_FALSE(roll_back(before));
  EXPECT_EQ(Done("partner_denied {}").denied().domains_size(), 0);
  EXPECT_TRUE(roll_back(with));
  EXPECT_EQ(Done("partner_denied {}").denied().domains(0), "*.bad.example");
  EXPECT_FALSE(roll_back(before));
  EXPECT_EQ(Answer(New("x.bad.example")).exit_code(), 0U);
  EXPECT_TRUE(roll_back(with)) << "and the partner that came after it goes";
  EXPECT_FALSE(Knows("x.bad.example"));
}

TEST_F(DomainsOfAnEngine, WhoKnocksWaitsToBeAcceptedOrRefused) {
  Knock("before.example");
  EXPECT_TRUE(Done("partner_discovered {}").strangers().off());
  Done("gateway_set { settings { discover: true } fields: 'discover' }");
  Done("partner_deny { domain: 'bad.example' }");
  Knock("one.example", 1);
  Knock("two.example", 2);
  Knock("one.example", 3);
  Knock("bad.example", 4);
  const proto::Strangers seen = Done("partner_discovered {}").strangers();
  ASSERT_EQ(seen.strangers_size(), 2);
  EXPECT_EQ(seen.strangers(0).domain(), "one.example");
  EXPECT_EQ(seen.strangers(0).knocks(), 2U);
  EXPECT_EQ(seen.strangers(0).first_unix(), 1U);

  EXPECT_THAT(Refused("partner_accept { accepted { partner { domain: 'three.example' } } }"),
              HasSubstr("was not discovered"));
  Done(
      "partner_accept { accepted { partner { domain: 'One.EXAMPLE' type: 'federated' enabled: true "
      "} } }");
  EXPECT_TRUE(Knows("one.example"));
  Done("partner_refuse { domain: 'two.example' }");
  EXPECT_EQ(Done("partner_denied {}").denied().domains_size(), 2);
  EXPECT_EQ(Done("partner_discovered {}").strangers().strangers_size(), 0);
}

TEST_F(DomainsOfAnEngine, WhoIsSettledByAnyOtherWayWaitsNoMore) {
  Done("gateway_set { settings { discover: true } fields: 'discover' }");
  Answer(New("fabrikam.example"));
  const auto waiting = [this] {
    return Done("partner_discovered {}").strangers().strangers_size();
  };
  for (const char* domain : {"set.example", "import.example", "x.apply.example", "bad.example"})
    Knock(domain);
  ASSERT_EQ(waiting(), 4);
  Done(
      "partner_set { domain: 'fabrikam.example' fields: 'additional_domains'"
      " partner { additional_domains: 'set.example' } }");
  EXPECT_EQ(waiting(), 3);
  proto::CtlRequest import;
  *import.mutable_import()->add_records()->mutable_partner() =
      New("import.example").partner_new().partner();
  EXPECT_EQ(Answer(import).exit_code(), 0U);
  EXPECT_EQ(waiting(), 2);
  proto::CtlRequest apply;
  proto::FederationData& data = *apply.mutable_apply()->mutable_data();
  data.add_denied()->set_domain("bad.example");
  *data.add_partners() = New("apply.example", "*.apply.example").partner_new().partner();
  for (const char* section : {"denied", "partners"}) apply.mutable_apply()->add_sections(section);
  EXPECT_EQ(Answer(apply).exit_code(), 0U);
  EXPECT_EQ(waiting(), 0);
  Knock("later.example");
  ASSERT_EQ(waiting(), 1);
  apply.mutable_apply()->clear_sections();
  apply.mutable_apply()->add_sections("gateway");
  *data.mutable_gateway() = DefaultGatewaySettings();
  EXPECT_EQ(Answer(apply).exit_code(), 0U);
  Done("gateway_set { settings { discover: true } fields: 'discover' }");
  EXPECT_EQ(waiting(), 0) << "discovery had ended in between";
}

TEST_F(DomainsOfAnEngine, WhatIsKeptOfAStrangerIsCutAtACharacter) {
  Done("gateway_set { settings { discover: true } fields: 'discover' }");
  proto::StrangersSeen seen;
  proto::Stranger& stranger = *seen.add_strangers();
  stranger.set_domain("one.example");
  stranger.set_certificate("x");
  for (int i = 0; i < 300; ++i) stranger.mutable_certificate()->append("\u00fc");
  engine_.NoteStrangers(seen);
  const proto::CtlResponse response = Done("partner_discovered {}");
  ASSERT_EQ(response.strangers().strangers_size(), 1);
  EXPECT_EQ(response.strangers().strangers(0).certificate().size(), 511U);
  proto::CtlResponse read;
  EXPECT_TRUE(read.ParseFromString(response.SerializeAsString()));
}

TEST_F(DomainsOfAnEngine, OfTooManyStrangersTheOldestLeave) {
  Done("gateway_set { settings { discover: true } fields: 'discover' }");
  for (std::uint64_t i = 0; i <= StrangerMemory::kKept; ++i)
    Knock("s" + std::to_string(i) + ".example", i + 1);
  const proto::Strangers seen = Done("partner_discovered {}").strangers();
  EXPECT_EQ(seen.strangers_size(), static_cast<int>(StrangerMemory::kKept));
  EXPECT_EQ(seen.strangers(static_cast<int>(StrangerMemory::kKept) - 1).domain(), "s1.example");
}

TEST_F(DomainsOfAnEngine, AFileIsToldToChangeWhatItDenies) {
  proto::CtlRequest apply;
  proto::FederationData& data = *apply.mutable_apply()->mutable_data();
  data.add_denied()->set_domain("*.bad.example");
  *data.add_partners() = New("x.bad.example").partner_new().partner();
  for (const char* section : {"denied", "partners"}) apply.mutable_apply()->add_sections(section);
  const proto::CtlResponse response = Answer(apply);
  ASSERT_EQ(response.mistakes_size(), 1);
  EXPECT_EQ(response.mistakes(0).what(),
            "domain 'x.bad.example' is on the deny list by '*.bad.example'; leave one of the two "
            "out");
}

TEST_F(DomainsOfAnEngine, AnImportSetsTheGlobalPolicyOnlyWhereNobodyHas) {
  proto::CtlRequest request;
  proto::AccessPolicy& policy = *request.mutable_import()->add_records()->mutable_policy();
  policy.set_name("Global");
  policy.set_xmpp_access(true);
  EXPECT_EQ(Answer(request).exit_code(), 0U) << "it is as the store made it";
  EXPECT_EQ(Answer(request).exit_code(), 0U) << "nothing to change";
  policy.set_description("of the head office");
  const proto::CtlResponse refused = Answer(request);
  EXPECT_EQ(refused.exit_code(), 1U);
  EXPECT_THAT(refused.error(), HasSubstr("was set already; give --replace"));
  request.mutable_import()->set_replace(true);
  EXPECT_EQ(Answer(request).exit_code(), 0U);
}

TEST_F(DomainsOfAnEngine, AnImportIsWrittenAsAWholeOrNotAtAll) {
  Answer(New("fabrikam.example"));
  const std::string hash = engine_.policy().snapshot.hash();
  proto::CtlRequest request;
  proto::Import& import = *request.mutable_import();
  for (const char* domain : {"adatum.example", "fabrikam.example"}) {
    proto::Partner& partner = *import.add_records()->mutable_partner();
    partner = DefaultPartner();
    partner.set_domain(domain);
    partner.set_connection_limit(7);
  }
  proto::AccessPolicy& policy = *import.add_records()->mutable_policy();
  policy.set_name("Global");
  policy.set_xmpp_access(true);
  proto::GatewaySet& gateway = *import.add_records()->mutable_gateway();
  gateway.mutable_settings()->set_connection_limit(500);
  gateway.add_fields("connection_limit");

  proto::CtlResponse response = Answer(request);
  EXPECT_EQ(response.exit_code(), 1U);
  EXPECT_THAT(response.error(), HasSubstr("nothing is imported: 1 of 4 records cannot be, the "
                                          "first is partner 'fabrikam.example' of "));
  EXPECT_EQ(response.imported().results(0).result(), "imported");
  EXPECT_THAT(response.imported().results(0).notes(0), HasSubstr("W1: "));
  EXPECT_THAT(response.imported().results(1).why(), HasSubstr("--replace"));
  EXPECT_EQ(engine_.policy().snapshot.hash(), hash);

  import.set_replace(true);
  import.set_dry_run(true);
  response = Answer(request);
  EXPECT_EQ(response.exit_code(), 0U) << response.error();
  EXPECT_FALSE(response.imported().written());
  EXPECT_EQ(engine_.policy().snapshot.hash(), hash);

  import.set_dry_run(false);
  response = Answer(request);
  EXPECT_TRUE(response.imported().written());
  EXPECT_EQ(response.imported().results(1).result(), "replaced");
  EXPECT_EQ(engine_.policy().snapshot.gateway().connection_limit(), 500U);
  EXPECT_TRUE(engine_.policy().snapshot.access_policies(0).xmpp_access());
  EXPECT_TRUE(Knows("adatum.example"));
  EXPECT_EQ(engine_.policy().snapshot.partners(1).connection_limit(), 7U);
  response = Answer(request);
  EXPECT_EQ(response.imported().results(3).result(), "unchanged");

  import.set_replace(false);
  import.mutable_records()->DeleteSubrange(0, 3);
  import.mutable_records(0)->mutable_gateway()->mutable_settings()->set_connection_limit(600);
  EXPECT_THAT(Answer(request).error(), HasSubstr("gateway settings were set already"));
  EXPECT_EQ(engine_.policy().snapshot.gateway().connection_limit(), 500U);
}

TEST_F(DomainsOfAnEngine, TheAuditNamesEveryFileOfAnImportButNotTooMany) {
  proto::CtlRequest request;
  const auto add = [&request](const std::string& domain, const std::string& file) {
    proto::ImportRecord& record = *request.mutable_import()->add_records();
    *record.mutable_partner() = New(domain).partner_new().partner();
    record.set_from(file);
  };
  const auto subject = [this] {
    return Store::Open(folder_.File("policy.db"))->Audit({.last = 1})->front().subject;
  };
  add("a.example", "a.xml");
  add("b.example", "a.xml");
  add("c.example", "b.xml");
  ASSERT_EQ(Answer(request).exit_code(), 0U);
  EXPECT_EQ(subject(), "a.xml, b.xml");

  request.Clear();
  for (int i = 10; i < 30; ++i)
    add("p" + std::to_string(i) + ".example", std::to_string(i) + std::string(98, 'x'));
  ASSERT_EQ(Answer(request).exit_code(), 0U);
  EXPECT_LE(subject().size(), 1100U);
  EXPECT_THAT(subject(), testing::EndsWith("x and 10 more"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
