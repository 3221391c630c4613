#include "core/policy/access.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace gatehouse {
namespace {

constexpr auto kIn = Direction::kXmppToSip;
constexpr auto kOut = Direction::kSipToXmpp;
using Gateway = proto::GatewaySettings;

proto::AccessPolicy Policy(std::string_view name, bool access) {
  proto::AccessPolicy policy;
  policy.set_name(std::string(name));
  policy.set_xmpp_access(access);
  return policy;
}

// global: no. site:redmond (domain redmond.example): yes. tag:sales: yes, to sales-* of contoso and
// to one of Redmond's bots. tag:none: no, to a pattern as narrow, to a narrower one, and to carl.
proto::PolicySnapshot Company() {
  proto::PolicySnapshot snapshot;
  *snapshot.add_access_policies() = Policy("global", false);
  proto::AccessPolicy& site = *snapshot.add_access_policies() = Policy("site:redmond", true);
  site.add_domains("redmond.example");
  proto::AccessPolicy& sales = *snapshot.add_access_policies() = Policy("tag:sales", true);
  sales.add_patterns("sales-*@contoso.example");
  sales.add_patterns("*-abcdef@contoso.example");
  sales.add_users("bot-1@redmond.example");
  proto::AccessPolicy& none = *snapshot.add_access_policies() = Policy("tag:none", false);
  none.add_patterns("abcdef-*@contoso.example");
  none.add_patterns("sales-x*@contoso.example");
  none.add_patterns("bot-*@redmond.example");
  none.add_users("sales-carl@contoso.example");
  return snapshot;
}

LocalUser UserOf(std::string_view bare) {
  const std::size_t at = bare.find('@');
  if (at == std::string_view::npos) return {{}, bare};
  return {bare.substr(0, at), bare.substr(at + 1)};
}

struct Case {
  std::string_view user;
  bool may;
  std::string_view rule;
  std::string_view policy;
};
// clang-format off
constexpr std::array kCases = {
    Case{"ann@contoso.example",                  false, "access-global",  "global"},
    Case{"ann@elsewhere.example",                false, "access-global",  "global"},
    Case{"ann@redmond.example",                  true,  "access-domain",  "site:redmond"},
    Case{"ann@sub.redmond.example",              false, "access-global",  "global"},
    Case{"sales-@contoso.example",               true,  "access-pattern", "tag:sales"},
    Case{"sales-bob@contoso.example",            true,  "access-pattern", "tag:sales"},
    Case{"sales-bob@redmond.example",            true,  "access-domain",  "site:redmond"},
    Case{"sales-xenia@contoso.example",          false, "access-pattern", "tag:none"},
    Case{"sales-carl@contoso.example",           false, "access-user",    "tag:none"},
    Case{"abcdef-x-abcdef@contoso.example",      false, "access-pattern", "tag:none"},  // a tie
    Case{"bot-2@redmond.example",                false, "access-pattern", "tag:none"},
    Case{"bot-1@redmond.example",                true,  "access-user",    "tag:sales"},
};
// clang-format on

TEST(Access, TheNarrowestGrantOfAUserHolds) {
  const PolicyView view(Company());
  for (const Case& one : kCases)
    for (const Direction direction : {kIn, kOut}) {
      const AccessVerdict verdict = MayUseXmpp(view, UserOf(one.user), direction);
      EXPECT_EQ(verdict.may, one.may) << one.user;
      EXPECT_EQ(verdict.rule, one.rule) << one.user;
      EXPECT_EQ(verdict.policy, one.policy) << one.user;
      EXPECT_EQ(verdict.reason, one.may ? Reason::kNone : Reason::kNoXmppAccess);
    }
}

TEST(Access, ACharacterCountsOnceHoweverManyOctetsItHas) {
  proto::PolicySnapshot snapshot;
  *snapshot.add_access_policies() = Policy("global", false);
  proto::AccessPolicy& yes = *snapshot.add_access_policies() = Policy("tag:yes", true);
  yes.add_patterns("*\u00fc*@contoso.example");
  yes.add_patterns("*\\27*@contoso.example");
  *snapshot.add_access_policies() = Policy("tag:no", false);
  snapshot.mutable_access_policies(2)->add_patterns("x*@contoso.example");
  const PolicyView view(snapshot);
  for (const std::string_view tie : {"x\u00fc", "x\\27"})
    EXPECT_FALSE(MayUseXmpp(view, {tie, "contoso.example"}, kIn).may) << tie;
  EXPECT_TRUE(MayUseXmpp(view, {"a\u00fc", "contoso.example"}, kIn).may);
}

// What a look at each pattern would find, for patterns of every shape.
TEST(Access, AmongManyPatternsTheNarrowestHolds) {
  constexpr std::array kEnds = {"", "a", "b", "ab", "ba", "aab", "bbaa"};
  std::vector<std::string> patterns;
  for (const std::string start : kEnds)
    for (const std::string middle : {"*", "*a*", "**b*"})
      for (const std::string rest : kEnds) patterns.push_back(start + middle + rest);
  patterns.insert(patterns.end(), {"ab", "abab", "*a*b*a*"});
  proto::PolicySnapshot snapshot;
  for (std::size_t i = 0; i < patterns.size(); ++i)
    *snapshot.add_access_policies() = Policy(patterns[i], i % 3 != 0);
  for (proto::AccessPolicy& policy : *snapshot.mutable_access_policies())
    policy.add_patterns(policy.name() + "@contoso.example");
  const PolicyView view(std::move(snapshot));
  const auto literals = [](std::string_view pattern) {
    return std::ranges::count_if(pattern, [](char c) { return c != '*'; });
  };
  for (unsigned bits = 1; bits < 512; ++bits) {
    std::string user;  // every word of "a" and "b" of up to eight letters
    for (unsigned rest = bits; rest > 1; rest /= 2) user += rest % 2 == 0 ? 'a' : 'b';
    long best = -1;
    bool may = false;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (!MatchesPattern(patterns[i], user) || literals(patterns[i]) < best) continue;
      may = i % 3 != 0 && (may || literals(patterns[i]) > best);
      best = literals(patterns[i]);
    }
    if (user.empty()) continue;
    const AccessVerdict verdict = MayUseXmpp(view, {user, "contoso.example"}, kIn);
    EXPECT_EQ(verdict.may, may) << user;
    EXPECT_EQ(verdict.rule, "access-pattern") << user;
    EXPECT_EQ(literals(verdict.policy), best) << user << " " << verdict.policy;
    EXPECT_TRUE(MatchesPattern(verdict.policy, user)) << user << " " << verdict.policy;
  }
}

TEST(Access, APatternIsOfItsOwnDomainOnly) {
  const PolicyView view(Company());
  EXPECT_EQ(MayUseXmpp(view, UserOf("sales-bob@sub.contoso.example"), kIn).rule, "access-global");
  EXPECT_EQ(MayUseXmpp(view, UserOf("sales-bob@xcontoso.example"), kIn).rule, "access-global");
}

TEST(Access, ADomainIsNobodysAndMay) {
  EXPECT_TRUE(MayUseXmpp(PolicyView(Company()), UserOf("contoso.example"), kIn).may);
}

TEST(Access, AnAddressLongerThanAnyMayNot) {
  proto::PolicySnapshot snapshot;
  *snapshot.add_access_policies() = Policy("global", true);
  const PolicyView view(std::move(snapshot));
  const std::string longest(1023, 'a');
  EXPECT_TRUE(MayUseXmpp(view, {longest, longest}, kIn).may);
  EXPECT_FALSE(MayUseXmpp(view, {longest + "a", longest}, kIn).may);
}

TEST(Access, WithoutAGlobalPolicyNobodyMay) {
  EXPECT_FALSE(MayUseXmpp(PolicyView({}), UserOf("ann@contoso.example"), kIn).may);
}

TEST(Access, TheMasterSwitchForbidsAWayToEverybody) {
  struct Row {
    Gateway::Federation federation;
    bool in;
    bool out;
  };
  constexpr std::array kRows = {Row{Gateway::ON, true, true}, Row{Gateway::OFF, false, false},
                                Row{Gateway::INBOUND_ONLY, true, false},
                                Row{Gateway::OUTBOUND_ONLY, false, true}};
  for (const Row& row : kRows) {
    proto::PolicySnapshot snapshot = Company();
    snapshot.mutable_gateway()->set_federation(row.federation);
    const PolicyView view(std::move(snapshot));
    for (const std::string_view user : {"ann@redmond.example", "contoso.example"}) {
      const AccessVerdict in = MayUseXmpp(view, UserOf(user), kIn);
      EXPECT_EQ(in.may, row.in) << user;
      EXPECT_EQ(MayUseXmpp(view, UserOf(user), kOut).may, row.out) << user;
      if (row.in) continue;
      EXPECT_EQ(in.rule, "federation");
      EXPECT_EQ(in.reason, Reason::kFederationOff);
    }
  }
}

TEST(Access, AStarStandsForAnyNumberOfCharacters) {
  struct Row {
    std::string_view pattern, text;
    bool fits;
  };
  constexpr std::array kRows = {Row{"a*@x", "a@x", true},
                                Row{"a*@x", "abc@x", true},
                                Row{"a*@x", "ba@x", false},
                                Row{"*a*@x", "bab@x", true},
                                Row{"*a@x", "aaba@x", true},
                                Row{"*ab*ab@x", "ab@x", false},
                                Row{"*ab*ab@x", "abab@x", true},
                                Row{"a**b@x", "ab@x", true},
                                Row{"a*@x", "a@xy", false},
                                Row{"a*@x", "", false},
                                Row{"", "", true},
                                Row{"", "a", false},
                                Row{"*", "", true}};
  for (const Row& row : kRows)
    EXPECT_EQ(MatchesPattern(row.pattern, row.text), row.fits) << row.pattern << " " << row.text;
}

// Backtracking is over the last star only: many stars cost no more than their product with the
// text.
TEST(Access, APatternOfManyStarsIsJudgedInTime) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(1000, 'a')));
}

}  // namespace
}  // namespace gatehouse
