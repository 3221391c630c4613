// Who watches, and may no longer.
#include <gmock/gmock.h>

#include "tests/unit/plugins/sip_translator/watched_scene.h"

namespace gatehouse::translator {
namespace {

TEST_F(WatchedContactsTest, AWatchThatEndsByPolicyOrByTheContactHasAReason) {
  const auto reasons = [this] {
    std::vector<std::string> all;
    const proto::RefusalRecords noted = context.refusals.Of("partner.example");
    for (const proto::RefusalRecord& refusal : noted.refusals()) all.push_back(refusal.reason());
    return all;
  };
  WatchActively();
  Hear("unsubscribed");
  TakeNotify();
  EXPECT_EQ(reasons(), std::vector<std::string>{"contact-declined"});
  TakeStanza();  // our "unavailable"
  Wait(seconds{3});
  WatchActively();
  context.policy = std::make_shared<const PolicyView>(proto::PolicySnapshot());
  watched.OnSnapshot();
  TakeNotify();
  EXPECT_EQ(reasons(), (std::vector<std::string>{"no-xmpp-access", "contact-declined"}));
}

TEST_F(WatchedContactsTest, AContactThatIsBlockedWhileItIsWatchedIsTakenAway) {
  WatchActively();
  proto::PolicySnapshot changed = context.policy->snapshot();
  changed.set_contacts_epoch(2);
  context.policy = std::make_shared<const PolicyView>(changed);
  watched.OnSnapshot();
  Wait(seconds{1});
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].question.contact().contact(), "bob@partner.example");
  EngineSays(Trouble("nobody answers"));
  EXPECT_EQ(watched.dialogs(), 1U);
  Wait(seconds{1});
  EngineSays(proto::CONTACT_BLOCKED);
  EXPECT_EQ(NotifiedState(), "terminated;reason=rejected");
  watched.OnSnapshot();
  Wait(seconds{1});
  EXPECT_TRUE(asked.empty());
}

TEST_F(WatchedContactsTest, AChangeOfSomethingElseDoesNotForgetWhatIsToBeChecked) {
  WatchActively();
  proto::PolicySnapshot changed = context.policy->snapshot();
  changed.set_contacts_epoch(2);
  context.policy = std::make_shared<const PolicyView>(changed);
  watched.OnSnapshot();
  changed.mutable_gateway()->set_connection_limit(7);
  context.policy = std::make_shared<const PolicyView>(changed);
  watched.OnSnapshot();
  Wait(seconds{1});
  ASSERT_EQ(asked.size(), 1U);
  EngineSays(proto::CONTACT_BLOCKED);
  EXPECT_EQ(NotifiedState(), "terminated;reason=rejected");
}

TEST_F(WatchedContactsTest, WithThePartnerItsContactsAreTakenAway) {
  WatchActively();
  context.policy = std::make_shared<const PolicyView>(proto::PolicySnapshot());
  watched.OnSnapshot();
  EXPECT_EQ(NotifiedState(), "terminated;reason=rejected");
}

}  // namespace
}  // namespace gatehouse::translator
