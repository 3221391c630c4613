// What the contact is asked, and what becomes of its answers.
#include <gmock/gmock.h>

#include "tests/unit/plugins/sip_translator/watched_scene.h"

namespace gatehouse::translator {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(WatchedContactsTest, TheContactIsAskedAndTheWatcherIsToldHowItGoes) {
  Subscribe({.lines = "Record-Route: <sip:p1.corp.example;transport=tcp;lr>, "
                      "<sip:p2.corp.example;lr>\r\n"});
  EngineSays(proto::CONTACT_AUTHORISED);
  const FakeSipEndpoint::Request first = TakeNotify();
  EXPECT_EQ(first.method, "NOTIFY");
  EXPECT_EQ(first.request_uri, "sip:ann@10.0.0.5:5061;transport=tcp");
  EXPECT_THAT(first.from, HasSubstr("<sip:bob@partner.example>;tag="));
  EXPECT_EQ(first.to, "<sip:ann@corp.example>;tag=a1");
  EXPECT_EQ(first.call_id, "sub-1");
  EXPECT_EQ(first.cseq, 1U);
  EXPECT_EQ(first.next_hop, "sip:p1.corp.example;transport=tcp;lr");
  EXPECT_THAT(first.text, HasSubstr("\r\nRoute: <sip:p1.corp.example;transport=tcp;lr>, "
                                    "<sip:p2.corp.example;lr>\r\n"));
  EXPECT_THAT(first.text, HasSubstr("\r\nEvent: presence\r\n"));
  EXPECT_EQ(StateOf(first), "pending;expires=3600");
  EXPECT_THAT(first.body, IsEmpty());
  const proto::Element asked_for = TakeStanza();
  EXPECT_EQ(Attribute(asked_for, "type"), "subscribe");
  EXPECT_EQ(Attribute(asked_for, "from"), "ann@corp.example");
  EXPECT_EQ(Attribute(asked_for, "to"), "bob@partner.example");
  Hear("subscribed");
  EXPECT_TRUE(heard);
  EXPECT_EQ(NotifiedState(), "active;expires=3600");
  Hear("", "/home", "away");
  EXPECT_TRUE(endpoint.sent.empty());  // one in 5 s
  Wait(seconds{5});
  const FakeSipEndpoint::Request presence = TakeNotify();
  EXPECT_EQ(presence.content_type, "application/pidf+xml");
  EXPECT_THAT(presence.body, HasSubstr("<basic>open</basic>"));
  EXPECT_EQ(presence.cseq, 3U);
  Wait(seconds{5});
  Hear("unavailable", "/home");
  EXPECT_THAT(TakeNotify().body, HasSubstr("<basic>closed</basic>"));
}

TEST_F(WatchedContactsTest, AContactThatRefusesEndsAllDialogs) {
  WatchActively();
  Subscribe({.call_id = "sub-2", .tag = "a2"});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(NotifiedState(), "active;expires=3600");
  EXPECT_TRUE(SaidNothing());  // one authorization, one question
  Hear("unsubscribed");
  EXPECT_EQ(NotifiedState(), "terminated;reason=rejected");
  EXPECT_EQ(NotifiedState(), "terminated;reason=rejected");
  EXPECT_EQ(watched.dialogs(), 0U);
  Hear("", "/home");
  EXPECT_FALSE(heard);
}

TEST_F(WatchedContactsTest, AContactThatIsNotThereEndsThemToo) {
  for (const auto& [condition, reason] :
       {std::pair{proto::ITEM_NOT_FOUND, "terminated;reason=noresource"},
        std::pair{proto::FORBIDDEN, "terminated;reason=rejected"}}) {
    Subscribe({});
    EngineSays(proto::CONTACT_AUTHORISED);
    TakeNotify();
    HearStanza(MakeErrorReply(TakeStanza(), condition));
    EXPECT_EQ(NotifiedState(), reason);
    Wait(seconds{3});
  }
}

TEST_F(WatchedContactsTest, AServerThatCannotBeReachedIsTriedAgainForADay) {
  Subscribe({.expires = "28800"});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify();
  TakeStanza(ipc::Outcome::Failed(proto::REMOTE_SERVER_TIMEOUT, "down"));
  Wait(seconds{29});
  EXPECT_TRUE(SaidNothing());
  Wait(seconds{1});
  EXPECT_EQ(Attribute(TakeStanza(ipc::Outcome::Expired()), "type"), "subscribe");
  Wait(seconds{59});
  EXPECT_TRUE(SaidNothing());
  Wait(seconds{1});
  const proto::Element third = TakeStanza();
  HearStanza(MakeErrorReply(third, proto::REMOTE_SERVER_NOT_FOUND));
  Wait(seconds{120});
  EXPECT_EQ(SaidType(), "subscribe");
  EXPECT_TRUE(endpoint.sent.empty());
  Hear("subscribed");
  EXPECT_THAT(NotifiedState(), HasSubstr("active;"));
}

TEST_F(WatchedContactsTest, PresenceOfAContactThatHasNotAgreedIsNotTold) {
  Subscribe({});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify();
  Hear("", "/home");
  Wait(seconds{6});
  EXPECT_TRUE(endpoint.sent.empty());
  Hear("subscribed");
  EXPECT_THAT(TakeNotify().body, HasSubstr("<basic>open</basic>"));
}

TEST_F(WatchedContactsTest, PresenceThatNobodyWatchesIsForSomebodyElse) {
  for (const char* type : {"", "unavailable", "subscribed", "unsubscribed", "error", "subscribe"}) {
    Hear(type);
    EXPECT_FALSE(heard) << type;
  }
  WatchActively();
  for (const char* type : {"subscribe", "unsubscribe", "probe"}) {
    Hear(type);
    EXPECT_FALSE(heard) << type;
  }
}

TEST_F(WatchedContactsTest, AProbeIsSaidWhereAnApprovalBringsNoPresence) {
  Subscribe({});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify();
  TakeStanza();
  Hear("subscribed");
  TakeNotify();
  Wait(seconds{5});
  EXPECT_EQ(SaidType(), "probe");
}

}  // namespace
}  // namespace gatehouse::translator
