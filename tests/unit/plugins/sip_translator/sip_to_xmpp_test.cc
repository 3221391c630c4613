#include "plugins/sip_translator/sip_to_xmpp.h"

#include <gtest/gtest.h>

#include "plugins/sip_translator/test_im.h"
#include "tests/unit/plugins/sip_translator/flow_fixture.h"

namespace gatehouse::translator {
namespace {

class SipToXmppFlow : public FlowTest {
 protected:
  int StatusFor(const ipc::Outcome& outcome) {
    static int number = 0;
    Request("message " + std::to_string(++number));
    TakeStanza(outcome);
    return LastStatus();
  }
};

TEST_F(SipToXmppFlow, AnswersOkOnlyWhenTheStanzaWasHandedToAStream) {
  Request("Lunch?");
  EXPECT_EQ(LastStatus(), 0);
  ASSERT_EQ(links.At(0).offers.size(), 1U);
  EXPECT_EQ(links.At(0).offers.front().share_key, "corp.example partner.example");
  EXPECT_LT(links.At(0).offers.front().expires, clock.In(seconds{20}));
  const proto::Element stanza = TakeStanza();
  EXPECT_EQ(Attribute(stanza, "from"), "ann@corp.example");
  EXPECT_EQ(Attribute(stanza, "to"), "bob@partner.example");
  EXPECT_EQ(LastStatus(), 200);
}

TEST_F(SipToXmppFlow, AnswersEveryFailureAs3Point9Says) {
  using ipc::Outcome;
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::REMOTE_SERVER_NOT_FOUND)), 404);
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::REMOTE_SERVER_NOT_FOUND, "", seconds{30})), 404);
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::REMOTE_SERVER_TIMEOUT)), 408);
  EXPECT_EQ(StatusFor(Outcome::Expired()), 408);
  EXPECT_EQ(
      StatusFor(Outcome::Failed(proto::REMOTE_SERVER_TIMEOUT, "negotiation failed: no method")),
      480);
  EXPECT_TRUE(LastHeader("Warning").starts_with("399 corp.example \"negotiation failed ("));
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::REMOTE_SERVER_TIMEOUT, "", milliseconds{12300})), 480);
  EXPECT_EQ(LastHeader("Retry-After"), "13");
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::RESOURCE_CONSTRAINT)), 500);
  EXPECT_EQ(LastHeader("Retry-After"), "10");
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::INTERNAL_SERVER_ERROR)), 500);
  EXPECT_EQ(StatusFor(Outcome::Failed(proto::SERVICE_UNAVAILABLE)), 403);
}

TEST_F(SipToXmppFlow, RefusesStrangersOnBothEnds) {
  Request("x", "sip:bob@unknown.example");
  EXPECT_EQ(LastStatus(), 404);
  Request("x", "sip:carol@corp.example");
  EXPECT_EQ(LastStatus(), 404) << "a served domain is no partner: no bouncing";
  Request("x", "sip:bob@partner.example", "sip:mallory@partner.example");
  EXPECT_EQ(LastStatus(), 403);
  Request("x", "sip:bob@partner.example", "sip:corp.example");
  EXPECT_EQ(LastStatus(), 403);
  Request("x", "sip:a%00b@partner.example");
  EXPECT_EQ(LastStatus(), 400);
  EXPECT_TRUE(links.At(0).offers.empty());
  EXPECT_EQ(Count("gatehouse_sip_messages_total", "{direction=\"in\",result=\"refused\"}"), 5);
}

TEST_F(SipToXmppFlow, WhatItRefusesItRemembersUnderTheIdOfTheWarning) {
  struct Case {
    std::string_view reason, detail;
    std::function<void()> request;
  };
  const std::vector<Case> cases = {
      {"not-our-user", "From is no user of ours",
       [this] { Request("x", "sip:bob@partner.example", "sip:eve@other.example"); }},
      {"no-address", "",
       [this] { Request("x", "sip:bob@partner.example", "sip:a%00b@corp.example"); }},
      {"unreadable-content", "",
       [this] {
         Request("x", "sip:bob@partner.example", "sip:ann@corp.example", "", "text/html");
       }},
      {"not-handed-over", "no route to host", [this] {
         StatusFor(ipc::Outcome::Failed(proto::REMOTE_SERVER_NOT_FOUND, "no route to host"));
       }}};
  for (const Case& one : cases) {
    one.request();
    const std::string warning = LastHeader("Warning");
    ASSERT_GT(warning.size(), 10U) << one.reason << ": " << warning;
    const std::string id = warning.substr(warning.size() - 10, 8);
    const proto::RefusalRecords found = context.refusals.Find(id);
    ASSERT_EQ(found.refusals_size(), 1) << warning;
    EXPECT_EQ(found.refusals(0).reason(), one.reason);
    EXPECT_EQ(found.refusals(0).to(), "bob@partner.example");
    EXPECT_EQ(found.refusals(0).answer(), std::to_string(LastStatus()));
    EXPECT_NE(found.refusals(0).sentence().find(one.detail), std::string::npos);
  }
}

TEST_F(SipToXmppFlow, AnInviteIsRefusedLikeAMessageThatCannotCross) {
  const auto invite = SipMessage::Parse(
      "INVITE sip:bob@partner.example SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=z9hG4bK1\r\n"
      "Max-Forwards: 70\r\nFrom: <sip:ann@corp.example>;tag=c3\r\nTo: "
      "<sip:bob@partner.example>\r\nCall-ID: call-1\r\nCSeq: 1 INVITE\r\nContent-Length: "
      "0\r\n\r\n",
      true);
  ASSERT_TRUE(invite);
  sip_to_xmpp.OnRequest(*invite, SipReply(replies, 99));
  EXPECT_EQ(LastStatus(), 405);
  EXPECT_EQ(LastHeader("Allow"), "MESSAGE, SUBSCRIBE, OPTIONS");
  EXPECT_TRUE(LastHeader("Warning").starts_with("399 corp.example \"")) << LastHeader("Warning");
  EXPECT_EQ(context.refusals.Of("partner.example").refusals(0).from(), "ann@corp.example");
}

TEST_F(SipToXmppFlow, RefusesAUserWithoutXmppAccess) {
  Request("x", "sip:bob@partner.example", "sip:Carl@corp.example");
  EXPECT_EQ(LastStatus(), 403);
  Request("x", "sip:bob@unknown.example", "sip:Carl@corp.example");
  EXPECT_EQ(LastStatus(), 403) << "he learns nothing of who is a partner";
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(SipToXmppFlow, SaysWhatItTakesWhenItCannotReadABody) {
  Request("<b>x</b>", "sip:bob@partner.example", "sip:ann@corp.example", "", "text/html");
  EXPECT_EQ(LastStatus(), 415);
  EXPECT_EQ(LastHeader("Accept"), "text/plain, multipart/alternative, message/cpim");
}

TEST_F(SipToXmppFlow, TakesAnEmptyMessageWithoutAStanza) {
  Request("");
  EXPECT_EQ(LastStatus(), 200);
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(SipToXmppFlow, GivesAStanzaNoMoreTimeThanItsExpires) {
  Request("x", "sip:bob@partner.example", "sip:ann@corp.example", "Expires: 5\r\n");
  ASSERT_EQ(links.At(0).offers.size(), 1U);
  EXPECT_EQ(links.At(0).offers.front().expires, clock.In(seconds{5}));
}

TEST_F(SipToXmppFlow, APairThatHasUsedUpItsShareWaitsInOrder) {
  endpoint.ResumeRequests();
  for (int i = 0; i < 6; ++i) Request("message " + std::to_string(i));
  EXPECT_EQ(LastStatus(), 0);
  EXPECT_FALSE(endpoint.paused);
  EXPECT_EQ(links.At(0).offers.size(), 4U);
  for (int i = 0; i < 6; ++i) {
    const proto::Element stanza = TakeStanza();
    EXPECT_EQ(TextOf(*FindChild(stanza, "body", ns::kServer)), "message " + std::to_string(i));
  }
  EXPECT_EQ(replies.answers.size(), 6U);
}

TEST_F(SipToXmppFlow, WhatWaitedTooLongIsNotOffered) {
  for (int i = 0; i < 5; ++i) Request("message " + std::to_string(i));
  clock.Advance(SipToXmpp::kHandOverLimit);
  TakeStanza();
  EXPECT_EQ(links.At(0).offers.size(), 3U);
  EXPECT_EQ(LastStatus(), 408);
}

TEST_F(SipToXmppFlow, SendsAPairAwayThatDoesNotKeepUp) {
  for (std::size_t i = 0; i < 4 + WaitingOffers::kMaxPerPair; ++i)
    Request("message " + std::to_string(i));
  EXPECT_EQ(LastStatus(), 0);
  Request("one more");
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(LastHeader("Retry-After"), "10");
  EXPECT_EQ(links.At(0).offers.size(), 4U);
}

TEST_F(SipToXmppFlow, StopsReadingSipWhileTheWindowIsFull) {
  endpoint.ResumeRequests();
  for (int i = 0; i < 8; ++i)  // other pairs fill the window
    links.At(0).Offer("pair " + std::to_string(i), "x", clock.In(seconds{20}),
                      [](const ipc::Outcome&) {});
  Request("x");
  EXPECT_TRUE(endpoint.paused);
  EXPECT_EQ(links.At(0).offers.size(), 8U);
  for (int i = 0; i < 3; ++i) links.At(0).SettleFirst(ipc::Outcome::Delivered());
  EXPECT_TRUE(endpoint.paused);
  links.At(0).SettleFirst(ipc::Outcome::Delivered());
  EXPECT_FALSE(endpoint.paused) << "half the window is free again";
  EXPECT_EQ(links.At(0).offers.size(), 5U) << "what was read is offered";
}

TEST_F(SipToXmppFlow, CapsIdenticalMessages) {
  for (int i = 0; i < 10; ++i) {
    Request("spam");
    TakeStanza();
  }
  Request("spam");
  EXPECT_EQ(LastStatus(), 403);
  Request("ham");
  EXPECT_EQ(links.At(0).offers.size(), 1U);
}

TEST_F(SipToXmppFlow, PausesForGoodWhenItDrains) {
  endpoint.ResumeRequests();
  Request("x");
  sip_to_xmpp.Drain();
  EXPECT_TRUE(endpoint.paused);
  EXPECT_EQ(sip_to_xmpp.under_way(), 1U);
  TakeStanza();
  EXPECT_EQ(sip_to_xmpp.under_way(), 0U);
}

TEST_F(SipToXmppFlow, ReportsATestMessageToItsEnd) {
  proto::CtlResponse response;
  proto::TestIm test;
  test.set_from_sip_uri("sip:ann@corp.example");
  test.set_to_jid("bob@partner.example");
  const auto keep = [&response](proto::CtlResponse answer) { response = std::move(answer); };
  TestIm(context, sip_to_xmpp, test, keep);
  TakeStanza();
  EXPECT_EQ(response.exit_code(), 0U);
  EXPECT_TRUE(response.test().ok());
  TestIm(context, sip_to_xmpp, test, keep);
  TakeStanza(ipc::Outcome::Failed(proto::REMOTE_SERVER_TIMEOUT, "connection refused"));
  EXPECT_EQ(response.exit_code(), 1U);
  EXPECT_NE(response.error().find("connection refused"), std::string::npos);
  test.set_to_jid("bob@unknown.example");
  TestIm(context, sip_to_xmpp, test, keep);
  EXPECT_EQ(response.exit_code(), 1U);
  EXPECT_NE(response.test().remedy().find("partner new"), std::string::npos);
  test.set_to_jid("@@");
  TestIm(context, sip_to_xmpp, test, keep);
  EXPECT_EQ(response.exit_code(), 1U);
}

TEST(ListenerLinks, GivesAPairTheSameOwnerEveryTimeAndSpreadsPairs) {
  FakeDataLinks links(4);
  ListenerLinks listeners(links);
  std::set<ipc::DataLink*> owners;
  for (int i = 0; i < 100; ++i) {
    const std::string remote = "partner" + std::to_string(i) + ".example";
    ipc::DataLink& owner = listeners.OwnerOf("corp.example", remote);
    EXPECT_EQ(&listeners.OwnerOf("corp.example", remote), &owner);
    owners.insert(&owner);
  }
  EXPECT_EQ(owners.size(), 4U);
}

TEST(ListenerLinks, GivesThePairsOfADrainedInstanceToTheNextOne) {
  FakeDataLinks links(2);
  ListenerLinks listeners(links);
  for (int i = 0; i < 10; ++i) {
    const std::string remote = "partner" + std::to_string(i) + ".example";
    links.At(1).is_gone = true;
    EXPECT_EQ(&listeners.OwnerOf("corp.example", remote), &links.At(0));
    links.At(1).is_gone = false;
  }
}

TEST(ServedDomains, RaisesThePageLimitOnlyOnStreams) {
  proto::Config config;
  config.mutable_sip()->set_page_mode_max(9000);
  for (const auto& [name, hop] : {std::pair{"tcp.example", "sip:a.example;transport=TCP"},
                                  {"tls.example", "sip:a.example:5061;transport=tls"},
                                  {"udp.example", "sip:a.example"},
                                  {"dns.example", ""}}) {
    proto::Domain& domain = *config.add_domains();
    domain.set_name(name);
    domain.set_next_hop(hop);
  }
  const auto served = ServedDomains::Read(config);
  ASSERT_TRUE(served);
  EXPECT_EQ(served->Find("tcp.example")->page_mode_max, 9000U);
  EXPECT_EQ(served->Find("tls.example")->page_mode_max, 9000U);
  EXPECT_EQ(served->Find("udp.example")->page_mode_max, 1300U);
  EXPECT_EQ(served->Find("dns.example")->page_mode_max, 1300U);
  EXPECT_EQ(served->Find("sub.tcp.example"), nullptr);
  config.add_domains()->set_name("localhost");
  EXPECT_FALSE(ServedDomains::Read(config));
}

}  // namespace
}  // namespace gatehouse::translator
