#include "plugins/sip_translator/watched_contacts.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <deque>

#include "tests/unit/plugins/sip_translator/flow_fixture.h"

namespace gatehouse::translator {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Ann of corp.example watches Bob of partner.example.
class WatchedContactsTest : public FlowTest {
 protected:
  explicit WatchedContactsTest(DialogLimits limits = {})
      : watched(
            context,
            [this](const proto::PolicyQuestion& question, auto answer) {
              asked.push_back({question, std::move(answer)});
            },
            limits) {}
  struct Wanted {
    std::string expires = "3600";
    std::string call_id = "sub-1";
    std::string tag = "a1";      // Ann's
    std::string local_tag = {};  // ours, in a dialog
    std::string lines = {};
    std::string to = "sip:bob@partner.example";
    std::string from = "sip:ann@corp.example";
    std::string event = "presence";
  };
  void Subscribe(const Wanted& wanted) {
    const std::string branch = "z9hG4bK" + std::to_string(++cseq_);
    std::string text =
        "SUBSCRIBE " + wanted.to + " SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=" + branch +
        "\r\nMax-Forwards: 70\r\nFrom: <" + wanted.from + ">;tag=" + wanted.tag + "\r\nTo: <" +
        wanted.to + ">" + (wanted.local_tag.empty() ? "" : ";tag=" + wanted.local_tag) +
        "\r\nCall-ID: " + wanted.call_id + "\r\nCSeq: " + std::to_string(cseq_) +
        " SUBSCRIBE\r\nContact: <sip:ann@10.0.0.5:5061;transport=tcp>\r\n" +
        "Event: " + wanted.event + "\r\n" + wanted.lines;
    if (!wanted.expires.empty()) text += "Expires: " + wanted.expires + "\r\n";
    text += "Content-Length: 0\r\n\r\n";
    const auto message = SipMessage::Parse(text, true);
    ASSERT_TRUE(message) << message.error().reason;
    watched.OnSubscribe(*message, SipPeer{SipTransport::kTcp, {}, {}},
                        SipReply(replies, ++transactions_));
  }
  void EngineSays(Result<proto::ContactState> state) {
    ASSERT_FALSE(asked.empty());
    const Asked first = std::move(asked.front());
    asked.pop_front();
    first.answer(std::move(state));
  }
  // What the watcher is told next, which he answers with `status`.
  FakeSipEndpoint::Request TakeNotify(int status = 200) {
    EXPECT_FALSE(endpoint.sent.empty());
    if (endpoint.sent.empty()) return {};
    FakeSipEndpoint::Request request = endpoint.sent.front().request;
    endpoint.AnswerFirst(status, "x");
    return request;
  }
  static std::string StateOf(const FakeSipEndpoint::Request& notify) {
    const auto message = SipMessage::Parse(notify.text, true);
    return std::string(message->Header("Subscription-State").value_or("(none)"));
  }
  std::string NotifiedState(int status = 200) { return StateOf(TakeNotify(status)); }
  void Hear(std::string_view type, std::string_view resource = "", std::string_view show = "") {
    proto::Element presence = MakeElement("presence", ns::kServer);
    SetAttribute(presence, "from", "bob@partner.example" + std::string(resource));
    SetAttribute(presence, "to", "ann@corp.example");
    if (!type.empty()) SetAttribute(presence, "type", type);
    if (!show.empty()) AddText(AddChild(presence, "show", ns::kServer), show);
    HearStanza(presence);
  }
  void HearStanza(const proto::Element& presence) {
    heard = watched.OnPresence(presence, {*Jid::Parse(Attribute(presence, "from")),
                                          *Jid::Parse(Attribute(presence, "to"))});
  }
  std::string SaidType() { return std::string(Attribute(TakeStanza(), "type")); }
  bool SaidNothing() { return links.At(0).offers.empty(); }
  void Wait(seconds span) {
    for (seconds done{0}; done < span; done += seconds{1}) {
      clock.Advance(seconds{1});
      watched.Tick();
    }
  }
  // Ann watches, Bob has agreed, nothing is under way.
  std::string WatchActively() {
    Subscribe({});
    EngineSays(proto::CONTACT_AUTHORISED);
    const std::string to = TakeNotify().from;
    EXPECT_EQ(SaidType(), "subscribe");
    Hear("subscribed");
    EXPECT_EQ(NotifiedState(), "active;expires=3600");
    Hear("", "/home");
    Wait(seconds{5});
    EXPECT_THAT(TakeNotify().body, HasSubstr("<basic>open</basic>"));
    return to.substr(to.find(";tag=") + 5);
  }

  struct Asked {
    proto::PolicyQuestion question;
    std::function<void(Result<proto::ContactState>)> answer;
  };
  std::deque<Asked> asked;
  bool heard = false;
  WatchedContacts watched;

 private:
  std::uint32_t cseq_ = 0;
  std::uint64_t transactions_ = 0;
};

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

TEST_F(WatchedContactsTest, AtTheEndEveryWatcherIsToldToSubscribeAnew) {
  WatchActively();
  watched.Drain();
  EXPECT_EQ(watched.under_way(), 1U);
  EXPECT_EQ(NotifiedState(), "terminated;reason=deactivated");
  EXPECT_EQ(watched.under_way(), 0U);
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
