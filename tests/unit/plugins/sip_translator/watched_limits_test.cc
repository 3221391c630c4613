// How many dialogs there may be.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/plugins/sip_translator/watched_scene.h"

namespace gatehouse::translator {
namespace {

using testing::HasSubstr;

TEST_F(WatchedContactsTest, AUserHasOnlySoManyDialogs) {
  for (std::size_t i = 0; i <= DialogLimits{}.of_a_user; ++i) {
    Subscribe({.call_id = "sub-" + std::to_string(i)});
    if (!asked.empty()) EngineSays(proto::CONTACT_AUTHORISED);
  }
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(watched.dialogs(), DialogLimits{}.of_a_user);
  Subscribe({.call_id = "other", .from = "sip:eve@corp.example"});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastStatus(), 200);
}

// Two dialogs for Ann, three for all.
class CrowdedContactsTest : public WatchedContactsTest {
 protected:
  CrowdedContactsTest() : WatchedContactsTest(DialogLimits{.all = 3, .of_a_user = 2}) {}
  // So many SUBSCRIBEs at once, none of which the policy engine has answered yet.
  void Burst(int count, const std::string& from) {
    for (int i = 0; i < count; ++i)
      Subscribe({.call_id = from + std::to_string(++calls_), .from = from});
  }
  std::size_t Answered(int status) const {
    return static_cast<std::size_t>(std::ranges::count(
        replies.answers, status, [](const auto& answer) { return answer.status; }));
  }

 private:
  int calls_ = 0;
};

TEST_F(CrowdedContactsTest, ABurstDoesNotPassTheLimitOfAUserWhileTheEngineThinks) {
  Burst(5, "sip:ann@corp.example");
  EXPECT_EQ(asked.size(), 2U);
  EXPECT_EQ(Answered(500), 3U);
  EXPECT_EQ(LastHeader("Retry-After"), "10");
  EXPECT_THAT(LastHeader("Warning"),
              HasSubstr("399 corp.example \"too many subscriptions of this user, at most 2 ("));
  while (!asked.empty()) EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(Answered(200), 2U);
  EXPECT_EQ(watched.dialogs(), 2U);
}

TEST_F(CrowdedContactsTest, ABurstOfManyUsersDoesNotPassTheLimitOfAll) {
  for (const char* user : {"ann", "ben", "eve", "tom", "zoe"})
    Burst(1, "sip:" + std::string(user) + "@corp.example");
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_THAT(LastHeader("Warning"),
              HasSubstr("399 corp.example \"too many subscriptions of all users, at most 3 ("));
  while (!asked.empty()) EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(watched.dialogs(), 3U);
}

TEST_F(CrowdedContactsTest, APlaceIsFreeAgainHoweverItWasLeft) {
  for (const auto state :
       {proto::CONTACT_BLOCKED, proto::CONTACT_UNKNOWN, proto::CONTACT_NO_ROOM}) {
    Burst(2, "sip:ann@corp.example");
    while (!asked.empty()) EngineSays(state);
  }
  Burst(2, "sip:ann@corp.example");
  while (!asked.empty()) EngineSays(Trouble("nobody answers"));
  EXPECT_EQ(watched.dialogs(), 0U);
  Subscribe({.expires = "0", .call_id = "look"});  // has one until its NOTIFY is answered
  Subscribe({.expires = "0", .call_id = "another"});
  Burst(1, "sip:ann@corp.example");
  EXPECT_EQ(LastStatus(), 500);
  TakeNotify();
  TakeNotify();
  Burst(2, "sip:ann@corp.example");
  ASSERT_EQ(asked.size(), 2U);
  while (!asked.empty()) EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify(481);
  Burst(1, "sip:ann@corp.example");
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(CrowdedContactsTest, ARefreshNeedsNoFurtherPlace) {
  const std::string tag = WatchActively();
  Burst(1, "sip:ann@corp.example");
  Burst(1, "sip:eve@corp.example");
  Subscribe({.local_tag = tag});
  while (!asked.empty()) EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastStatus(), 200);
  EXPECT_EQ(watched.dialogs(), 3U);
}

}  // namespace
}  // namespace gatehouse::translator
