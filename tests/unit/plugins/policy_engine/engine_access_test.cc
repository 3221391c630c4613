#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/access.h"
#include "tests/unit/plugins/policy_engine/commanded_engine.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

class PoliciesOfAnEngine : public CommandedEngine {
 protected:
  bool May(std::string_view user) {
    const std::size_t at = user.find('@');
    return MayUseXmpp(PolicyView(engine_.policy().snapshot),
                      {user.substr(0, at), user.substr(at + 1)}, Direction::kXmppToSip)
        .may;
  }
};

TEST_F(PoliciesOfAnEngine, InANewStoreTheGlobalOneIsThereAndWithoutAccess) {
  const proto::CtlResponse response = Done("policy_list {}");
  ASSERT_EQ(response.policies().policies_size(), 1);
  EXPECT_EQ(response.policies().policies(0).name(), "global");
  EXPECT_FALSE(May("ann@contoso.example"));
  EXPECT_THAT(Refused("policy_remove { name: 'Global' }"), HasSubstr("cannot be removed"));
  EXPECT_THAT(Refused("policy_new { policy { name: 'global' } }"), HasSubstr("exists already"));
}

TEST_F(PoliciesOfAnEngine, TheGlobalOneIsSetLiveAndForTheNextLife) {
  Done("policy_set { name: 'global' policy { xmpp_access: true } fields: 'xmpp_access' }");
  EXPECT_TRUE(May("ann@contoso.example"));
  EXPECT_EQ(Open().policy().snapshot.hash(), engine_.policy().snapshot.hash());
  ASSERT_EQ(Audit()[0].changes.size(), 1U);
  EXPECT_FALSE(Audit()[0].changes[0].before().policy().xmpp_access());
  EXPECT_TRUE(Audit()[0].changes[0].after().policy().xmpp_access());
}

TEST_F(PoliciesOfAnEngine, AGrantTakesAUserFromThePolicyHeHad) {
  Done("policy_new { policy { name: 'yes' xmpp_access: true } }");
  Done("policy_new { policy { name: 'no' } }");
  Done(
      "policy_grant { name: 'Yes' to { users: 'ann@contoso.example' users: 'bob@contoso.example' } "
      "}");
  EXPECT_TRUE(May("ann@contoso.example"));
  const auto response = Done("policy_grant { name: 'no' to { users: 'sip:Ann@contoso.example' } }");
  EXPECT_EQ(response.policies().policies(0).users(0), "ann@contoso.example");
  EXPECT_FALSE(May("ann@contoso.example"));
  EXPECT_TRUE(May("bob@contoso.example"));
  EXPECT_EQ(Audit()[0].action, "policy grant");
  EXPECT_EQ(Audit()[0].subject, "tag:no");
  EXPECT_EQ(Audit()[0].changes.size(), 2U) << "both policies";
  Done("config_rollback { revision: " + std::to_string(Audit()[1].revision) + " }");
  EXPECT_TRUE(May("ann@contoso.example")) << "a grant is taken back with its revision";
}

TEST_F(PoliciesOfAnEngine, TheAuditSaysWhoWasAddedToAListAndWhoWasTaken) {
  Done("policy_new { policy { name: 'yes' } }");
  Done("policy_new { policy { name: 'no' } }");
  Done(
      "policy_grant { name: 'yes' to { users: 'ann@contoso.example' users: 'bob@contoso.example'"
      " } }");
  Done("policy_grant { name: 'no' to { users: 'bob@contoso.example' } }");
  const auto record = Done("audit_get { last: 1 }").audit().records(0);
  ASSERT_EQ(record.changes_size(), 2);
  std::vector<std::string> said;
  for (const proto::ChangeView& change : record.changes())
    said.push_back(change.key() + ": " + change.fields(0).before() + change.fields(0).after());
  EXPECT_THAT(said, testing::UnorderedElementsAre("tag:no: +bob@contoso.example",
                                                  "tag:yes: -bob@contoso.example"));
}

TEST_F(PoliciesOfAnEngine, ARevokedGrantLeavesTheNextWiderPolicy) {
  Done("policy_new { policy { name: 'site:head' xmpp_access: true } }");
  Done("policy_grant { name: 'site:head' to { domains: 'contoso.example' } }");
  Done("policy_new { policy { name: 'no' } }");
  Done("policy_grant { name: 'no' to { patterns: 'a*@contoso.example' } }");
  EXPECT_FALSE(May("ann@contoso.example"));
  Done("policy_revoke { from { patterns: 'a*@contoso.example' } }");
  EXPECT_TRUE(May("ann@contoso.example"));
  Done("policy_revoke { from { domains: 'contoso.example' } }");
  EXPECT_FALSE(May("ann@contoso.example"));
  EXPECT_THAT(Refused("policy_revoke { from { domains: 'contoso.example' } }"),
              HasSubstr("was granted no access policy"));
}

TEST_F(PoliciesOfAnEngine, ARemovedPolicyTakesItsGrantsWithIt) {
  Done("policy_new { policy { name: 'yes' xmpp_access: true } }");
  Done("policy_grant { name: 'yes' to { users: 'ann@contoso.example' } }");
  Done("policy_new { policy { name: 'no' } }");
  Done(
      "policy_grant { name: 'yes' to { users: 'bob@contoso.example' domains: 'contoso.example' } "
      "}");
  Done("policy_grant { name: 'no' to { patterns: 'b*@contoso.example' } }");
  EXPECT_EQ(Done("policy_remove { name: 'yes' }").done(),
            "access policy 'tag:yes' is removed, with 3 grants; now 'global' holds for 2 of them, "
            "'tag:no' holds for 1 of them");
  EXPECT_FALSE(May("ann@contoso.example"));
  Done("policy_new { policy { name: 'yes' xmpp_access: true } }");
  EXPECT_FALSE(May("ann@contoso.example"));
}

TEST_F(PoliciesOfAnEngine, WhatIsRefusedChangesNothing) {
  Done("policy_new { policy { name: 'yes' xmpp_access: true } }");
  const std::string hash = engine_.policy().snapshot.hash();
  EXPECT_THAT(Refused("policy_grant { name: 'maybe' to { users: 'ann@contoso.example' } }"),
              HasSubstr("there is no access policy 'tag:maybe'; see gatehousectl policy list"));
  EXPECT_THAT(Refused("policy_grant { name: 'yes' to { users: 'ann@contoso.example'"
                      " users: 'romeo@partner.example' } }"),
              HasSubstr("is in no domain of ours"));
  EXPECT_THAT(Refused("policy_set { name: 'yes' policy { name: 'x' } fields: 'name' }"),
              HasSubstr("'name' cannot be set"));
  EXPECT_EQ(engine_.policy().snapshot.hash(), hash);
  EXPECT_EQ(Audit().size(), 1U);
}

}  // namespace
}  // namespace gatehouse::policy_engine
