#include "plugins/policy_engine/access_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kServed = {"contoso.example", "b\u00fccher.example"};

TEST(AccessRules, APolicysNameHasAScope) {
  EXPECT_EQ(PolicyName("Global"), "global");
  EXPECT_EQ(PolicyName("Site:Redmond"), "site:redmond");
  EXPECT_EQ(PolicyName("Tag:Sales People"), "tag:sales people");
  EXPECT_EQ(PolicyName("Sales"), "tag:sales");
  for (const char* wrong : {"", "site:", "tag:", "pool:x", "site:a:b", "tag: x", "x\ny"})
    EXPECT_FALSE(PolicyName(wrong).has_value()) << wrong;
  EXPECT_FALSE(PolicyName(std::string(kMaxPolicyNameBytes + 1, 'a')).has_value());
}

proto::Grantees Grantees(const std::string& user, const std::string& pattern,
                         const std::string& domain) {
  proto::Grantees grantees;
  if (!user.empty()) grantees.add_users(user);
  if (!pattern.empty()) grantees.add_patterns(pattern);
  if (!domain.empty()) grantees.add_domains(domain);
  return grantees;
}

TEST(AccessRules, GranteesAreStoredPrepared) {
  const auto grants = ReadGrantees(
      Grantees("sip:Ann@CONTOSO.example", "Sales-*@Contoso.example", "XN--BCHER-KVA.example"),
      "tag:sales", kServed);
  ASSERT_TRUE(grants.has_value()) << grants.error().text;
  EXPECT_THAT(*grants,
              testing::ElementsAre(AccessGrant{GrantKind::kUser, "ann@contoso.example"},
                                   AccessGrant{GrantKind::kPattern, "sales-*@contoso.example"},
                                   AccessGrant{GrantKind::kDomain, "b\u00fccher.example"}));
}

TEST(AccessRules, AGranteeBySipUriIsWhoHisTrafficIs) {
  for (const char* uri :
       {"sip:o'neil@contoso.example", "sip:o%27neil@contoso.example",
        "SIP:O'Neil@Contoso.example;transport=tls", "o\\27neil@contoso.example"}) {
    const auto grants = ReadGrantees(Grantees(uri, "", ""), "tag:sales", kServed);
    ASSERT_TRUE(grants.has_value()) << uri << ": " << grants.error().text;
    EXPECT_EQ(grants->front().subject, "o\\27neil@contoso.example") << uri;
  }
  const auto pattern =
      ReadGrantees(Grantees("", "sip:o'n*@contoso.example", ""), "tag:sales", kServed);
  ASSERT_TRUE(pattern.has_value()) << pattern.error().text;
  EXPECT_EQ(pattern->front().subject, "o\\27n*@contoso.example");
}

TEST(AccessRules, EachWrongGranteeGetsOneSentenceWithTheRemedy) {
  struct Row {
    std::string user, pattern, domain;
    std::string_view policy, says;
  };
  const std::array rows = {
      Row{"", "", "", "tag:a", "use --users, --pattern or --domain"},
      Row{"ann", "", "", "tag:a", "write one like ann@contoso.example"},
      Row{"ann@contoso.example/pc", "", "", "tag:a", "write one like ann@contoso.example"},
      Row{"a b@contoso.example", "", "", "tag:a", "write one like ann@contoso.example"},
      Row{"a*@contoso.example", "", "", "tag:a", "use --pattern"},
      Row{"ann@partner.example", "", "", "tag:a", "is in no domain of ours"},
      Row{"", "ann@contoso.example", "", "tag:a", "use --users"},
      Row{"", "*@contoso.example", "", "tag:a", "use --domain contoso.example"},
      Row{"", "ann@*.example", "", "tag:a", "write one like sales-*@contoso.example"},
      Row{"", "a*@partner.example", "", "tag:a", "is in no domain of ours"},
      Row{"", "a*" + std::string(256, 'x') + "@contoso.example", "", "tag:a", "at most 256"},
      Row{"", "", "partner.example", "tag:a", "is in no domain of ours"},
      Row{"", "", "contoso", "tag:a", "write one like contoso.example"},
      Row{"ann@contoso.example", "", "", "global", "holds for everybody"},
      Row{"ann@contoso.example", "", "", "site:redmond", "no single users"},
  };
  for (const Row& row : rows) {
    const auto grants =
        ReadGrantees(Grantees(row.user, row.pattern, row.domain), std::string(row.policy), kServed);
    ASSERT_FALSE(grants.has_value()) << row.says;
    EXPECT_THAT(grants.error().text, HasSubstr(row.says));
  }
}

google::protobuf::RepeatedPtrField<proto::AccessPolicy> Policies(
    const std::vector<std::string>& names) {
  google::protobuf::RepeatedPtrField<proto::AccessPolicy> policies;
  for (const std::string& name : names) policies.Add()->set_name(name);
  return policies;
}

std::string WhyNot(google::protobuf::RepeatedPtrField<proto::AccessPolicy> policies) {
  const Result<void> held = CheckAccessPolicies(policies, {}, {});
  return held ? std::string() : held.error().text;
}

TEST(AccessRules, AllPoliciesTogetherGrantNobodyTwo) {
  EXPECT_THAT(WhyNot(Policies({"sales"})), HasSubstr("'global' is missing"));
  EXPECT_THAT(WhyNot(Policies({"global", "sales", "Tag:Sales"})), HasSubstr("there twice"));
  auto policies = Policies({"global", "yes", "no"});
  policies[1].add_users("ann@contoso.example");
  EXPECT_EQ(WhyNot(policies), "");
  policies[2].add_users("sip:Ann@contoso.example");
  EXPECT_THAT(WhyNot(policies), HasSubstr("granted two policies"));
  policies[2].clear_users();
  policies[0].add_domains("contoso.example");
  EXPECT_THAT(WhyNot(policies), HasSubstr("holds for everybody"));
}

TEST(AccessRules, PatternsAreFewBecauseEachIsTried) {
  auto policies = Policies({"global", "sales"});
  for (std::size_t i = 0; i < DataLimits().patterns; ++i)
    policies[1].add_patterns("a" + std::to_string(i) + "*@contoso.example");
  EXPECT_EQ(WhyNot(policies), "");
  policies[1].add_patterns("b*@contoso.example");
  EXPECT_THAT(WhyNot(policies), HasSubstr("257 patterns are too many; at most 256"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
