// What is said of contacts, access policies, domains and other systems' data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/policy/partner_type.h"
#include "core/policy/traffic_kind.h"
#include "tests/unit/core/ctl/command_line_scene.h"

namespace gatehouse::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CommandLine, TurnsContactCommandsIntoRequests) {
  const proto::ContactChange allow =
      RequestOf("contact allow sip:ann@contoso.example romeo@partner.example").contact_change();
  EXPECT_EQ(allow.verb(), proto::ContactChange::ALLOW);
  ASSERT_EQ(allow.contacts_size(), 1);
  EXPECT_EQ(allow.contacts(0).sip_user(), "sip:ann@contoso.example");
  EXPECT_EQ(allow.contacts(0).contact(), "romeo@partner.example");
  EXPECT_EQ(RequestOf("contact block a@b.example c@d.example").contact_change().verb(),
            proto::ContactChange::BLOCK);
  EXPECT_EQ(RequestOf("contact forget a@b.example c@d.example").contact_change().verb(),
            proto::ContactChange::FORGET);
  const Result<Invocation> list = ParseText(
      "contact list ann@contoso.example --contact r@p.example"
      " --limit 7 --after x");
  ASSERT_TRUE(list.has_value()) << list.error().text;
  EXPECT_EQ(list->action, Action::kListContacts);
  EXPECT_EQ(list->request.contact_list().sip_user(), "ann@contoso.example");
  EXPECT_EQ(list->request.contact_list().contact(), "r@p.example");
  EXPECT_EQ(list->request.contact_list().limit(), 7U);
  EXPECT_EQ(list->request.contact_list().after(), "x");
  EXPECT_EQ(ParseText("contact list")->request.contact_list().limit(), 100U);
}

TEST(CommandLine, ReadsManyContactsFromAFile) {
  const std::string file = testing::TempDir() + "contacts.txt";
  std::ofstream(file) << "# from the old gateway\n\nsip:ann@contoso.example romeo@partner.example\n"
                         "bob@contoso.example\tromeo@partner.example\r\n";
  const proto::ContactChange change = RequestOf("contact allow --file " + file).contact_change();
  ASSERT_EQ(change.contacts_size(), 2);
  EXPECT_EQ(change.contacts(1).sip_user(), "bob@contoso.example");
  EXPECT_EQ(change.contacts(1).contact(), "romeo@partner.example");
  std::ofstream(file) << "ann@contoso.example romeo@partner.example\nann@contoso.example\n";
  EXPECT_THAT(MisuseOf("contact allow --file " + file),
              HasSubstr("contacts.txt:2: write a user and a contact"));
  std::ofstream(file) << "#\n";
  EXPECT_THAT(MisuseOf("contact allow --file " + file), HasSubstr("names no contact"));
  EXPECT_THAT(MisuseOf("contact allow --file /absent"), HasSubstr("/absent: cannot be opened"));
}

TEST(CommandLine, AFileOfContactsIsTextAsAnyEditorWritesIt) {
  const std::string file = testing::TempDir() + "encoded.txt";
  const std::string line = "ann@contoso.example romeo@partner.example\r\n";
  std::string wide = "\xFF\xFE";
  for (const char c : line) wide += {c, '\0'};
  for (const std::string& text : {"\xEF\xBB\xBF" + line, wide}) {
    std::ofstream(file) << text;
    const proto::ContactChange change = RequestOf("contact allow --file " + file).contact_change();
    ASSERT_EQ(change.contacts_size(), 1);
    EXPECT_EQ(change.contacts(0).sip_user(), "ann@contoso.example");
    EXPECT_EQ(change.contacts(0).contact(), "romeo@partner.example");
  }
  std::ofstream(file) << line << "b\xFE@contoso.example romeo@partner.example\n";
  EXPECT_THAT(MisuseOf("contact allow --file " + file),
              HasSubstr("encoded.txt:2: is not in UTF-8; write the file in UTF-8"));
  std::ofstream(file) << line << line << '\0' << line;
  EXPECT_THAT(MisuseOf("contact block --file " + file),
              HasSubstr("encoded.txt:3: has a zero octet; write the file in UTF-8"));
}

TEST(CommandLine, TheWordsOfAFileAreFlagsToo) {
  EXPECT_THAT(RequestOf("policy set global --xmpp-access true").policy_set().fields(),
              ElementsAre("xmpp_access"));
  const proto::Grantees to =
      RequestOf("policy grant sales --patterns c*@c.example --domains c.example")
          .policy_grant()
          .to();
  EXPECT_THAT(to.patterns(), ElementsAre("c*@c.example"));
  EXPECT_THAT(to.domains(), ElementsAre("c.example"));
  const proto::GatewaySet set =
      RequestOf("gateway set --keep-alive-interval-s 7 --unverified-outbound-im true")
          .gateway_set();
  EXPECT_EQ(set.settings().keep_alive_interval_s(), 7U);
  EXPECT_TRUE(set.settings().unverified_outbound_im());
  EXPECT_FALSE(RequestOf("gateway set --unverified-outbound-im false")
                   .gateway_set()
                   .settings()
                   .unverified_outbound_im());
}

TEST(CommandLine, AFlagThatIsNoneNamesTheOneThatIsNear) {
  EXPECT_THAT(MisuseOf("partner set a.example --trust_anchors x"),
              HasSubstr("'--trust_anchors' is no flag here; did you mean --trust-anchors?"));
  EXPECT_THAT(MisuseOf("partner set a.example --expires-unix=1"),
              HasSubstr("did you mean --expires?"));
  EXPECT_THAT(MisuseOf("policy grant sales --user a@c.example"),
              HasSubstr("did you mean --users?"));
  EXPECT_THAT(MisuseOf("partner list --jsn"), HasSubstr("did you mean --json?"));
}

TEST(CommandLine, NoWordThatIsNotInUtf8GetsAnywhere) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"partner", "new", "\xFF"},
        {"partner", "set", "a.example", "--description", "\xFF"},
        {"partner", "set", "a.example", "--reason=\xC3("},
        {"policy", "new", "\xFF"},
        {"why", "\xFF"},
        {"audit", "--subject", "\xFF"},
        {"cert", "request", "a", "--san", "\xFF"},
        {"test", "im", "--from", "a@b.example", "--to", "\xFF@c.example"},
        {"dns", "check", "\xFF.example"},
        {"\xFF"}}) {
    const auto invocation = Parse(words);
    ASSERT_FALSE(invocation.has_value());
    EXPECT_EQ(invocation.error().text,
              "word " + std::to_string(words.size()) +
                  " is not in UTF-8; write it in UTF-8, in a terminal that is set to it");
  }
}

TEST(CommandLine, WantsAUserAndAContactOrAFile) {
  for (const char* text : {"contact allow", "contact block ann@contoso.example",
                           "contact forget a@b.example c@d.example --file x"})
    EXPECT_THAT(MisuseOf(text), HasSubstr("give either USER and JID or --file FILE")) << text;
}

TEST(CommandLine, TurnsPolicyCommandsIntoRequests) {
  const proto::PolicyNew create =
      RequestOf("policy new site:redmond --enable-xmpp-access true --description x").policy_new();
  EXPECT_EQ(create.policy().name(), "site:redmond");
  EXPECT_TRUE(create.policy().xmpp_access());
  EXPECT_FALSE(RequestOf("policy new sales").policy_new().policy().xmpp_access());
  const proto::PolicySet set =
      RequestOf("policy set global --enable-xmpp-access false").policy_set();
  EXPECT_EQ(set.name(), "global");
  EXPECT_THAT(set.fields(), ElementsAre("xmpp_access"));
  const proto::PolicyGrant grant =
      RequestOf(
          "policy grant sales --users a@c.example,b@c.example --pattern c*@c.example"
          " --pattern d*@c.example --domain c.example")
          .policy_grant();
  EXPECT_EQ(grant.name(), "sales");
  EXPECT_THAT(grant.to().users(), ElementsAre("a@c.example", "b@c.example"));
  EXPECT_THAT(grant.to().patterns(), ElementsAre("c*@c.example", "d*@c.example"));
  EXPECT_THAT(grant.to().domains(), ElementsAre("c.example"));
  EXPECT_THAT(RequestOf("policy revoke --users a@c.example").policy_revoke().from().users(),
              ElementsAre("a@c.example"));
  EXPECT_EQ(RequestOf("policy remove sales").policy_remove().name(), "sales");
  EXPECT_EQ(RequestOf("policy list").policy_list().name(), "");
  EXPECT_EQ(RequestOf("policy list sales").policy_list().name(), "sales");
  EXPECT_THAT(MisuseOf("policy set global"), HasSubstr("nothing to set is given"));
  EXPECT_THAT(MisuseOf("policy grant sales"), HasSubstr("nobody is named"));
}

TEST(CommandLine, TheMasterSwitchOfFederationIsAGatewaySetting) {
  const proto::GatewaySet set = RequestOf("gateway set --federation inbound-only").gateway_set();
  EXPECT_EQ(set.settings().federation(), proto::GatewaySettings::INBOUND_ONLY);
  EXPECT_THAT(set.fields(), ElementsAre("federation"));
}

TEST(CommandLine, TakesAPartnersExpiryAsATimeOfUtc) {
  const auto expires = [](const std::string& time) {
    return RequestOf("partner set a.example --expires " + time)
        .partner_set()
        .partner()
        .expires_unix();
  };
  EXPECT_EQ(expires("2027-01-31"), 1801353600U);
  EXPECT_EQ(expires("2027-01-31T18:00Z"), 1801353600U + 18 * 3600);
  EXPECT_EQ(expires("2027-01-31T18:00:30Z"), 1801353600U + 18 * 3600 + 30);
  EXPECT_EQ(expires("never"), 0U);
  EXPECT_THAT(RequestOf("partner set a.example --expires never").partner_set().fields(),
              ElementsAre("expires_unix"));
  for (const char* wrong : {"tomorrow", "2027-02-30", "2027-01-31T25:00Z", "31.1.2027"})
    EXPECT_THAT(MisuseOf("partner new a.example --expires=" + std::string(wrong)),
                HasSubstr("write a time such as 2027-01-31"))
        << wrong;
  EXPECT_THAT(
      Parse({"partner", "set", "a.example", "--expires", ""}).error().text,
      HasSubstr("'' is no time; write a time such as 2027-01-31 or 2027-01-31T18:00Z (UTC), or "
                "never"));
}

TEST(CommandLine, TurnsTheCommandsOnDomainsThatAreNoPartnersIntoRequests) {
  EXPECT_EQ(RequestOf("partner deny *.bad.example").partner_deny().domain(), "*.bad.example");
  EXPECT_EQ(RequestOf("partner undeny bad.example").partner_undeny().domain(), "bad.example");
  EXPECT_TRUE(RequestOf("partner denied").has_partner_denied());
  EXPECT_TRUE(RequestOf("partner discovered").has_partner_discovered());
  EXPECT_EQ(RequestOf("partner refuse bad.example").partner_refuse().domain(), "bad.example");
  const proto::PartnerNew accepted =
      RequestOf("partner accept a.example --type federated --allow-lookalike")
          .partner_accept()
          .accepted();
  EXPECT_EQ(accepted.partner().domain(), "a.example");
  EXPECT_EQ(accepted.partner().type(), kFederated);
  EXPECT_TRUE(accepted.allow_lookalike());
  EXPECT_TRUE(RequestOf("gateway set --discover true").gateway_set().settings().discover());
}

TEST(CommandLine, AnImportNamesItsFiles) {
  const Result<Invocation> invocation = ParseText("import lync a.xml b.json --dry-run --replace");
  ASSERT_TRUE(invocation.has_value());
  EXPECT_EQ(invocation->action, Action::kImportLync);
  EXPECT_THAT(invocation->files, ElementsAre("a.xml", "b.json"));
  EXPECT_TRUE(invocation->request.import().dry_run());
  EXPECT_TRUE(invocation->request.import().replace());
}

TEST(CommandLine, AKindOfTrafficThatIsNoneIsWrongUsageAndHelpNamesThemAll) {
  EXPECT_THAT(MisuseOf("policy test bob@partner.example ann@contoso.example mesage"),
              HasSubstr("'mesage' is no kind of traffic; use one of subscribe, "));
  const Result<Invocation> help = ParseText("policy test --help");
  ASSERT_TRUE(help.has_value());
  for (const TrafficKindWord& row : KindWords())
    EXPECT_THAT(help->text, HasSubstr(std::string(row.word)));
}

TEST(CommandLine, WhoBreaksOffWhatChangesTheStoreIsToldSo) {
  for (const char* text :
       {"partner new a.example", "contact block sip:a@b.example c@d.example", "apply -f x.yaml",
        "import lync x.xml", "restore x.db", "policy grant Sales --domain contoso.example",
        "gateway set --discover true"})
    EXPECT_TRUE(ParseText(text)->changes) << text;
  for (const char* text : {"partner list", "export", "backup x.db", "apply -f x.yaml --dry-run",
                           "import lync x.xml --dry-run", "status"})
    EXPECT_FALSE(ParseText(text)->changes) << text;
}

TEST(CommandLine, AnExportHasContactsWhereTheyAreAskedFor) {
  EXPECT_FALSE(ParseText("export")->contacts);
  EXPECT_TRUE(ParseText("export --contacts")->contacts);
}

}  // namespace
}  // namespace gatehouse::ctl
