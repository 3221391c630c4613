// SUBSCRIBEs: which are taken, what they teach, and what is refused.
#include <gmock/gmock.h>

#include "tests/unit/plugins/sip_translator/watched_scene.h"

namespace gatehouse::translator {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(WatchedContactsTest, NothingIsAnsweredOrSaidBeforeTheContactIsStored) {
  Subscribe({});
  EXPECT_EQ(LastStatus(), 0);
  EXPECT_TRUE(SaidNothing());
  EXPECT_TRUE(endpoint.sent.empty());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].question.contact_seen().sip_user(), "ann@corp.example");
  EXPECT_EQ(asked[0].question.contact_seen().contact(), "bob@partner.example");
  EXPECT_EQ(watched.under_way(), 1U);
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastStatus(), 200);
  EXPECT_EQ(LastHeader("Expires"), "3600");
  EXPECT_EQ(LastHeader("Contact"), "<sip:bob@edge.corp.example:5061;transport=tcp>");
}

TEST_F(WatchedContactsTest, ABlockedContactIsRefusedAndNobodyIsAsked) {
  Subscribe({});
  EngineSays(proto::CONTACT_BLOCKED);
  EXPECT_EQ(LastStatus(), 403);
  Subscribe({});
  EngineSays(proto::CONTACT_UNKNOWN);
  EXPECT_EQ(LastStatus(), 404);
  EXPECT_TRUE(SaidNothing());
  EXPECT_TRUE(endpoint.sent.empty());
  EXPECT_EQ(watched.dialogs(), 0U);
}

TEST_F(WatchedContactsTest, AContactBeyondThoseOfItsPartnerIsRefusedAndRememberedForWhy) {
  Subscribe({});
  EngineSays(proto::CONTACT_NO_ROOM);
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(LastHeader("Retry-After"), "10");
  EXPECT_THAT(LastHeader("Warning"), HasSubstr("399 corp.example \"too many contacts ("));
  const proto::RefusalRecords noted = context.refusals.All();
  ASSERT_EQ(noted.refusals_size(), 1);
  EXPECT_EQ(noted.refusals(0).reason(), "contact-limit");
  EXPECT_EQ(noted.refusals(0).answer(), "500");
  EXPECT_EQ(noted.refusals(0).to(), "bob@partner.example");
  EXPECT_THAT(LastHeader("Warning"), HasSubstr(noted.refusals(0).id()));
  EXPECT_TRUE(SaidNothing());
  EXPECT_EQ(watched.dialogs(), 0U);
  Subscribe({});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastStatus(), 200);
}

TEST_F(WatchedContactsTest, WithoutThePolicyEngineTheWatcherIsToldToComeBack) {
  Subscribe({});
  EngineSays(Trouble("nobody answers"));
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(LastHeader("Retry-After"), "10");
  EXPECT_TRUE(SaidNothing());
  EXPECT_EQ(watched.dialogs(), 0U);
}

TEST_F(WatchedContactsTest, WhatIsNoSubscriptionOfOursIsRefusedAtOnce) {
  Subscribe({.event = "dialog"});
  EXPECT_EQ(LastStatus(), 489);
  EXPECT_EQ(LastHeader("Allow-Events"), "presence");
  Subscribe({.lines = "Accept: application/watcherinfo+xml\r\n"});
  EXPECT_EQ(LastStatus(), 406);
  Subscribe({.expires = "59"});
  EXPECT_EQ(LastStatus(), 423);
  EXPECT_EQ(LastHeader("Min-Expires"), "60");
  Subscribe({.to = "sip:bob@nowhere.example"});
  EXPECT_EQ(LastStatus(), 404);
  Subscribe({.from = "sip:ann@partner.example"});
  EXPECT_EQ(LastStatus(), 403);
  EXPECT_THAT(LastHeader("Warning"), HasSubstr("no user of a domain of ours ("));
  const proto::RefusalRecords refused = context.refusals.Of("partner.example");
  ASSERT_GT(refused.refusals_size(), 0);
  EXPECT_EQ(refused.refusals(0).reason(), "not-our-user");
  EXPECT_THAT(LastHeader("Warning"), HasSubstr(refused.refusals(0).id()));
  Subscribe({.to = "sips:bob@partner.example"});
  EXPECT_EQ(LastStatus(), 416);
  Subscribe({.local_tag = "unknown"});
  EXPECT_EQ(LastStatus(), 481);
  EXPECT_TRUE(asked.empty());
}

TEST_F(WatchedContactsTest, ExpiresIsGrantedWithinItsBounds) {
  Subscribe({.expires = ""});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastHeader("Expires"), "3600");
  Subscribe({.expires = "99999999", .call_id = "sub-2"});
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastHeader("Expires"), "28800");
}

TEST_F(WatchedContactsTest, ARefreshIsLearnedAndAnsweredWithThePresence) {
  const std::string tag = WatchActively();
  Subscribe({.expires = "600", .local_tag = tag});
  EXPECT_TRUE(endpoint.sent.empty());
  EXPECT_TRUE(asked.front().question.has_contact_seen());
  EngineSays(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(LastStatus(), 200);
  EXPECT_EQ(LastHeader("Expires"), "600");
  const FakeSipEndpoint::Request notify = TakeNotify();
  EXPECT_EQ(StateOf(notify), "active;expires=600");
  EXPECT_THAT(notify.body, HasSubstr("<basic>open</basic>"));
  EXPECT_TRUE(SaidNothing());
}

TEST_F(WatchedContactsTest, ARefreshThatCannotBeStoredLeavesTheDialogAsItWas) {
  const std::string tag = WatchActively();
  Subscribe({.local_tag = tag});
  EngineSays(Trouble("nobody answers"));
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(watched.dialogs(), 1U);
}

TEST_F(WatchedContactsTest, ALookShowsWhatIsKnownAndTeachesNothing) {
  Subscribe({.expires = "0"});
  EXPECT_EQ(LastStatus(), 200);
  const FakeSipEndpoint::Request nothing = TakeNotify();
  EXPECT_EQ(StateOf(nothing), "terminated;reason=timeout");
  EXPECT_THAT(nothing.body, IsEmpty());
  EXPECT_EQ(watched.dialogs(), 0U);
  WatchActively();
  Subscribe({.expires = "0", .call_id = "look"});
  EXPECT_THAT(TakeNotify().body, HasSubstr("<basic>open</basic>"));
  EXPECT_EQ(watched.dialogs(), 1U);
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(SaidNothing());
}

TEST_F(WatchedContactsTest, ASubscribeOutOfOrderChangesNothing) {
  const std::string tag = WatchActively();
  Subscribe({.local_tag = tag});
  EngineSays(proto::CONTACT_AUTHORISED);
  TakeNotify();
  const std::string late =
      "SUBSCRIBE sip:bob@partner.example SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=z9hG4bKlate\r\n"
      "From: <sip:ann@corp.example>;tag=a1\r\nTo: <sip:bob@partner.example>;tag=" +
      tag +
      "\r\nCall-ID: sub-1\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:ann@10.0.0.6>\r\n"
      "Event: presence\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n";
  watched.OnSubscribe(*SipMessage::Parse(late, true), SipPeer{SipTransport::kTcp, {}, {}},
                      SipReply(replies, 99));
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(replies.answers.back().why, Reason::kMalformedRequest);
  ASSERT_GT(context.refusals.All().refusals_size(), 0);
  const proto::RefusalRecord record = context.refusals.All().refusals(0);
  EXPECT_EQ(record.reason(), "malformed-request");
  EXPECT_EQ(record.answer(), "500");
  EXPECT_THAT(record.sentence(), HasSubstr("CSeq goes backwards"));
  EXPECT_THAT(LastHeader("Warning"), HasSubstr(record.id()));
  EXPECT_EQ(watched.dialogs(), 1U);
}

TEST_F(WatchedContactsTest, ASubscribeThatIsRefusedForItselfIsRememberedOnceAMinute) {
  struct Case {
    Wanted wanted;
    std::string_view status, reason;
  };
  for (const Case& one : {Case{{.event = "dialog"}, "489", "unreadable-content"},
                          Case{{.lines = "Accept: text/plain\r\n"}, "406", "unreadable-content"},
                          Case{{.expires = "5"}, "423", "interval-too-brief"},
                          Case{{.lines = "Record-Route: none\r\n"}, "400", "malformed-request"}}) {
    Subscribe(one.wanted);
    EXPECT_EQ(std::to_string(LastStatus()), one.status);
    EXPECT_EQ(ReasonCode(replies.answers.back().why), one.reason);
    const std::string warning = LastHeader("Warning");
    ASSERT_TRUE(warning.starts_with("399 corp.example \"")) << warning;
    Subscribe(one.wanted);
    EXPECT_EQ(LastHeader("Warning"), warning);
    const proto::RefusalRecords found =
        context.refusals.Find(warning.substr(warning.size() - 10, 8));
    ASSERT_EQ(found.refusals_size(), 1) << warning;
    EXPECT_EQ(found.refusals(0).kind(), "subscribe");
    EXPECT_EQ(found.refusals(0).reason(), one.reason);
    EXPECT_EQ(found.refusals(0).answer(), one.status);
    EXPECT_EQ(found.refusals(0).from(), "ann@corp.example");
    EXPECT_EQ(found.refusals(0).partner(), "partner.example");
  }
  EXPECT_EQ(context.refusals.All().refusals_size(), 4);
}

}  // namespace
}  // namespace gatehouse::translator
