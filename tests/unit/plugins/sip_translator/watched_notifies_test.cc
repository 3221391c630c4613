// NOTIFYs: when they go, and how a dialog ends.
#include <gmock/gmock.h>

#include "tests/unit/plugins/sip_translator/watched_scene.h"

namespace gatehouse::translator {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(WatchedContactsTest, AnEndIsToldAndForgetsNothingOfTheContact) {
  const std::string tag = WatchActively();
  Subscribe({.expires = "0", .local_tag = tag});
  EXPECT_EQ(LastStatus(), 200);
  EXPECT_TRUE(asked.empty());
  const FakeSipEndpoint::Request notify = TakeNotify();
  EXPECT_EQ(StateOf(notify), "terminated;reason=timeout");
  EXPECT_THAT(notify.body, HasSubstr("<basic>closed</basic>"));
  EXPECT_EQ(SaidType(), "unavailable");
  EXPECT_TRUE(SaidNothing());
  EXPECT_EQ(watched.dialogs(), 0U);
  Subscribe({.local_tag = tag});
  EXPECT_EQ(LastStatus(), 481);
  // The contact has agreed already: it is asked for its presence only.
  Subscribe({.call_id = "sub-2"});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(NotifiedState(), "active;expires=3600");
  EXPECT_EQ(SaidType(), "probe");
  Wait(seconds{10});
  EXPECT_EQ(SaidType(), "subscribe");
}

TEST_F(WatchedContactsTest, WhatIsNotRefreshedEnds) {
  WatchActively();
  Wait(seconds{3600});
  EXPECT_EQ(NotifiedState(), "terminated;reason=timeout");
  EXPECT_EQ(SaidType(), "unavailable");
  EXPECT_EQ(watched.dialogs(), 0U);
}

TEST_F(WatchedContactsTest, OneNotifyIsUnderWayAtATimeAndTheLatestWins) {
  Subscribe({});
  EngineSays(proto::CONTACT_AUTHORISED);
  Hear("subscribed");
  Hear("", "/home", "away");
  Hear("", "/home", "dnd");
  EXPECT_EQ(endpoint.sent.size(), 1U);
  EXPECT_EQ(NotifiedState(), "pending;expires=3600");
  EXPECT_EQ(endpoint.sent.size(), 1U);
  const FakeSipEndpoint::Request latest = TakeNotify();
  EXPECT_THAT(latest.body, HasSubstr("dnd"));
  EXPECT_THAT(latest.body, Not(HasSubstr("away")));
  EXPECT_TRUE(endpoint.sent.empty());
}

TEST_F(WatchedContactsTest, AWatcherThatKnowsNoDialogOrIsGoneIsDropped) {
  Subscribe({});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify(481);
  EXPECT_EQ(watched.dialogs(), 0U);
  Subscribe({.call_id = "sub-2"});
  EngineSays(proto::CONTACT_AUTHORISED);
  endpoint.FailFirst(SipFailure::kTimeout);
  EXPECT_EQ(watched.dialogs(), 0U);
  Subscribe({.call_id = "sub-3"});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify(500);
  EXPECT_EQ(watched.dialogs(), 1U);
}

TEST_F(WatchedContactsTest, ANotifyThatReachesNobodyIsToldOnceAMinuteWithItsTargetAndTheRemedy) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    Subscribe({.call_id = "sub-" + std::to_string(i)});
    EngineSays(proto::CONTACT_AUTHORISED);
    endpoint.FailFirst(SipFailure::kTransport);
  }
  Subscribe({.call_id = "gone"});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify(481);
  const std::string log = testing::internal::GetCapturedStderr();
  const proto::RefusalRecords noted = context.refusals.Of("partner.example");
  ASSERT_EQ(noted.refusals_size(), 1);
  const proto::RefusalRecord& record = noted.refusals(0);
  EXPECT_EQ(record.reason(), "notify-undelivered");
  EXPECT_EQ(record.from(), "bob@partner.example");
  EXPECT_EQ(record.to(), "ann@corp.example");
  EXPECT_THAT(record.sentence(), HasSubstr("NOTIFY to sip:ann@10.0.0.5:5061;transport=tcp"));
  EXPECT_NE(log.find(" target="), std::string::npos) << log;
  EXPECT_EQ(log.find(" target="), log.rfind(" target=")) << log;
  for (const std::string& word : {record.id(), std::string("sip:ann@10.0.0.5:5061;transport=tcp"),
                                  std::string("no connection"), std::string("record_route()")})
    EXPECT_THAT(log, HasSubstr(word));
}

TEST_F(WatchedContactsTest, ANotifyThatCannotBeSentIsSentLaterOrNever) {
  endpoint.refuse_with = SipSendRefusal::kTooMany;
  Subscribe({});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(watched.under_way(), 0U);
  endpoint.refuse_with.reset();
  Wait(seconds{5});
  EXPECT_EQ(NotifiedState(), "pending;expires=3595");
  endpoint.refuse_with = SipSendRefusal::kBadNextHop;
  Subscribe({.call_id = "sub-2"});
  EngineSays(proto::CONTACT_AUTHORISED);
  Wait(seconds{3});
  EXPECT_EQ(watched.dialogs(), 1U);
}

TEST_F(WatchedContactsTest, AtTheEndEveryWatcherIsToldToSubscribeAnew) {
  WatchActively();
  watched.Drain();
  EXPECT_EQ(watched.under_way(), 1U);
  EXPECT_EQ(NotifiedState(), "terminated;reason=deactivated");
  EXPECT_EQ(watched.under_way(), 0U);
}

}  // namespace
}  // namespace gatehouse::translator
