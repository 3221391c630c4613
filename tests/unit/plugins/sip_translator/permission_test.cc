// What the decision table of 5.2 does to real stanzas and SIP requests.
#include <gtest/gtest.h>

#include "core/policy/partner_type.h"

#include "tests/unit/plugins/sip_translator/flow_fixture.h"

namespace gatehouse::translator {
namespace {

class Permission : public FlowTest {
 protected:
  Permission() { SetType(kPublicUnverified); }
  void SetType(const std::string& type) { context.policy = Policy(type); }

  static proto::Element Presence(std::string_view type, std::string_view to = "ann@corp.example") {
    proto::Element presence = MakeElement("presence", ns::kServer);
    SetAttribute(presence, "from", "bob@partner.example/home");
    SetAttribute(presence, "to", to);
    SetAttribute(presence, "id", "p1");
    if (!type.empty()) SetAttribute(presence, "type", type);
    return presence;
  }
  static proto::Element Iq(std::string_view to, std::string_view name, std::string_view space) {
    proto::Element iq = MakeElement("iq", ns::kServer);
    SetAttribute(iq, "from", "bob@partner.example/home");
    SetAttribute(iq, "to", to);
    SetAttribute(iq, "id", "q1");
    SetAttribute(iq, "type", "get");
    AddChild(iq, name, space);
    return iq;
  }
  static std::string TextOfError(const proto::Element& stanza) {
    const proto::Element* error = FindChild(stanza, "error", ns::kServer);
    const proto::Element* text =
        error == nullptr ? nullptr : FindChild(*error, "text", ns::kStanzaErrors);
    return text == nullptr ? std::string() : TextOf(*text);
  }
  static constexpr std::string_view kDiscoInfo = "http://jabber.org/protocol/disco#info";
};

// --- from a partner

TEST_F(Permission, AMessageWaitsUntilTheContactsStateIsKnownAndThenPasses) {
  const auto first = Offer(Message("1", "m1"));
  const auto second = Offer(Message("2", "m2"));
  EXPECT_TRUE(endpoint.sent.empty()) << "not let through";
  EXPECT_TRUE(outcomes.empty()) << "not refused";
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked.front().wanted.sip_user(), "ann@corp.example");
  EXPECT_EQ(asked.front().wanted.contact(), "bob@partner.example");
  EXPECT_EQ(xmpp_to_sip.under_way(), 2U);
  SayOfFirst(proto::CONTACT_AUTHORISED);
  ASSERT_EQ(endpoint.sent.size(), 1U);
  EXPECT_EQ(endpoint.sent.front().request.body, "1");
  endpoint.AnswerFirst(200, "OK");
  EXPECT_EQ(endpoint.sent.front().request.body, "2");
  endpoint.AnswerFirst(200, "OK");
  EXPECT_TRUE(IsDelivered(first) && IsDelivered(second));
  Offer(Message("3", "m3"));
  EXPECT_TRUE(asked.empty()) << "kept while the snapshot lives";
  EXPECT_EQ(endpoint.sent.size(), 1U);
}

TEST_F(Permission, AnUnlistedContactIsForbiddenToWriteBeforeAnySip) {
  const auto seq = Offer(Message("x", "m1"));
  SayOfFirst(proto::CONTACT_UNKNOWN);
  EXPECT_TRUE(endpoint.sent.empty());
  const proto::Element error = TakeStanza();
  EXPECT_EQ(ConditionOf(error), "forbidden/auth");
  EXPECT_EQ(Attribute(error, "id"), "m1");
  EXPECT_EQ(outcomes[seq].condition, proto::FORBIDDEN);
  EXPECT_EQ(Count("gatehouse_policy_verdicts_total", "{reason=\"contact-not-authorised\"}"), 1);
}

// 5.3: two users, one of whom does not exist, get the same answer but for the number of the case.
TEST_F(Permission, AnUnlistedContactDoesNotLearnWhoExists) {
  std::vector<std::string> answers;
  for (const auto* user : {"ann@corp.example", "nobody@corp.example"}) {
    proto::Element message = Message("x", "m1");
    SetAttribute(message, "to", user);
    Offer(std::move(message));
    SayOfFirst(proto::CONTACT_UNKNOWN);
    proto::Element error = TakeStanza();
    const std::string id = context.refusals.Of("partner.example").refusals(0).id();
    std::string text = error.SerializeAsString();
    for (const std::string& own : {std::string(user), id})
      for (auto at = text.find(own); at != std::string::npos; at = text.find(own))
        text.erase(at, own.size());
    answers.push_back(text.substr(text.find("error")));
  }
  EXPECT_EQ(answers[0], answers[1]);
}

TEST_F(Permission, ABlockedContactMayNothingEvenOfAFederatedPartner) {
  proto::PolicySnapshot snapshot = Policy(kFederated)->snapshot();
  snapshot.add_blocked_domains("partner.example");
  context.policy = std::make_shared<const PolicyView>(std::move(snapshot));
  Offer(Message("x", "m1"));
  SayOfFirst(proto::CONTACT_BLOCKED);
  EXPECT_EQ(ConditionOf(TakeStanza()), "forbidden/auth");
  EXPECT_TRUE(endpoint.sent.empty());
}

TEST_F(Permission, NothingIsAskedOfAFederatedPartner) {
  SetType(kFederated);
  Offer(Message("x", "m1"));
  Offer(Presence("subscribe"));
  Offer(Presence("probe"));
  Request("back");
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(endpoint.sent.size(), 1U);
}

TEST_F(Permission, AnUnlistedContactsSubscriptionIsRefusedFromTheUsersBareAddress) {
  for (const auto* type : {"subscribe", "probe"}) {
    const auto seq = Offer(Presence(type));
    if (!asked.empty()) SayOfFirst(proto::CONTACT_UNKNOWN);
    const proto::Element answer = TakeStanza();
    EXPECT_EQ(answer.name(), "presence");
    EXPECT_EQ(Attribute(answer, "type"), "unsubscribed") << type;
    EXPECT_EQ(Attribute(answer, "from"), "ann@corp.example");
    EXPECT_EQ(Attribute(answer, "to"), "bob@partner.example");
    EXPECT_TRUE(IsDelivered(seq));
  }
}

TEST_F(Permission, APermittedSubscriptionStaysPending) {
  for (const auto type : {kFederated, kPublicVerified}) {
    SetType(type);
    EXPECT_TRUE(IsDelivered(Offer(Presence("subscribe"))));
    EXPECT_TRUE(IsDelivered(Offer(Presence("probe"))));
  }
  EXPECT_TRUE(links.At(0).offers.empty()) << "neither refused nor promised";
}

TEST_F(Permission, WhoeverEndsASubscriptionIsToldThatItHasEnded) {
  Offer(Presence("unsubscribe"));
  EXPECT_EQ(Attribute(TakeStanza(), "type"), "unsubscribed");
  EXPECT_TRUE(asked.empty());
}

TEST_F(Permission, PresenceThatNobodyAskedForIsDroppedWithoutAWord) {
  for (const auto* type : {"", "unavailable", "subscribed", "unsubscribed", "error", "strange"})
    EXPECT_TRUE(IsDelivered(Offer(Presence(type)))) << type;
  EXPECT_TRUE(IsDelivered(Offer(Presence("subscribe", "corp.example"))));
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(Permission, AnUnlistedContactsTypingIsDroppedWithoutAWord) {
  const auto seq = Offer(Message("", "m1"));
  SayOfFirst(proto::CONTACT_UNKNOWN);
  EXPECT_TRUE(IsDelivered(seq));
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(Permission, AUserIsDiscoveredByThoseWhoMay) {
  SetType(kFederated);
  Offer(Iq("ann@corp.example", "query", kDiscoInfo));
  const proto::Element info = TakeStanza();
  EXPECT_EQ(Attribute(info, "type"), "result");
  EXPECT_EQ(Attribute(*FirstChild(*FirstChild(info)), "category"), "account");
  EXPECT_EQ(Attribute(*FirstChild(*FirstChild(info)), "type"), "registered");
  Offer(Iq("ann@corp.example/desk", "query", kDiscoInfo));
  EXPECT_EQ(ConditionOf(TakeStanza()), "service-unavailable/cancel") << "only the bare address";
  SetType(kPublicUnverified);
  Offer(Iq("ann@corp.example", "query", kDiscoInfo));
  SayOfFirst(proto::CONTACT_UNKNOWN);
  EXPECT_EQ(ConditionOf(TakeStanza()), "service-unavailable/cancel");
  Offer(Iq("corp.example", "query", kDiscoInfo));
  EXPECT_EQ(Attribute(TakeStanza(), "type"), "result") << "the domain answers everybody";
}

TEST_F(Permission, AStanzaWaitsNoLongerThanItsDeadline) {
  Offer(Message("x", "m1"));
  const auto presence = Offer(Presence("subscribe"));
  clock.Advance(seconds{60});
  contacts.Tick();
  EXPECT_EQ(ConditionOf(TakeStanza()), "remote-server-timeout/wait");
  EXPECT_TRUE(IsDelivered(presence));
  EXPECT_TRUE(endpoint.sent.empty());
}

TEST_F(Permission, WhatWaitsIsLeftToTheNextLife) {
  Offer(Message("x", "m1"));
  xmpp_to_sip.LeaveToNextLife();
  EXPECT_TRUE(outcomes.empty());
  SayOfFirst(proto::CONTACT_AUTHORISED);
  EXPECT_TRUE(endpoint.sent.empty());
}

// --- from a SIP user

TEST_F(Permission, ASipUserMayWriteToWhomHeHasAdded) {
  Request("1");
  Request("2");
  EXPECT_EQ(LastStatus(), 0);
  EXPECT_EQ(sip_to_xmpp.under_way(), 2U);
  SayOfFirst(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(TextOf(*FindChild(TakeStanza(), "body", ns::kServer)), "1");
  EXPECT_EQ(TextOf(*FindChild(TakeStanza(), "body", ns::kServer)), "2");
  EXPECT_EQ(LastStatus(), 200);
}

TEST_F(Permission, ASipUserIsToldThatHeHasNotAddedTheContact) {
  Request("x");
  SayOfFirst(proto::CONTACT_UNKNOWN);
  EXPECT_EQ(LastStatus(), 403);
  EXPECT_TRUE(LastHeader("Warning").starts_with("399 corp.example \"contact not authorised ("))
      << LastHeader("Warning");
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(Permission, ASipUserMayWriteToAnybodyWhereTheGatewaySaysSo) {
  proto::PolicySnapshot snapshot = context.policy->snapshot();
  snapshot.mutable_gateway()->set_unverified_outbound_im(true);
  context.policy = std::make_shared<const PolicyView>(std::move(snapshot));
  Request("x");
  EXPECT_TRUE(asked.empty());
  TakeStanza();
  EXPECT_EQ(LastStatus(), 200);
  Offer(Message("reply", "m1"));
  SayOfFirst(proto::CONTACT_UNKNOWN);
  EXPECT_EQ(ConditionOf(TakeStanza()), "forbidden/auth") << "the replies stay blocked";
}

TEST_F(Permission, TypingAndDeliveryNoticesOfASipUserGetTheir200AndGoNowhere) {
  const std::string cpim =
      "From: <sip:ann@corp.example>\r\n\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>";
  for (const auto& [type, body] :
       {std::pair{"application/im-iscomposing+xml", std::string("<isComposing/>")},
        {"message/imdn+xml", "<imdn/>"},
        {"message/cpim", cpim}}) {
    Request(body, "sip:bob@partner.example", "sip:ann@corp.example", {}, type);
    EXPECT_EQ(LastStatus(), 200) << type;
  }
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(Permission, ASipRequestWaitsNoLongerThanItsDeadline) {
  Request("x");
  clock.Advance(SipToXmpp::kHandOverLimit);
  contacts.Tick();
  EXPECT_EQ(LastStatus(), 500);
  EXPECT_EQ(LastHeader("Retry-After"), "10");
}

TEST_F(Permission, NoMoreSipRequestsWaitThanThereIsRoomFor) {
  for (std::size_t i = 0; i < SipToXmpp::kMaxAwaiting; ++i) Request("x " + std::to_string(i));
  EXPECT_EQ(LastStatus(), 0);
  Request("one more");
  EXPECT_EQ(LastStatus(), 500);
}

// --- why

TEST_F(Permission, EveryRefusalIsRememberedUnderTheIdThatItsAnswerCarries) {
  Offer(Message("x", "m1"));
  SayOfFirst(proto::CONTACT_UNKNOWN);
  const std::string text = TextOfError(TakeStanza());
  ASSERT_TRUE(text.starts_with("contact not authorised (")) << text;
  const std::string id = text.substr(text.find('(') + 1, 8);
  const proto::RefusalRecords found = context.refusals.Find(id);
  ASSERT_EQ(found.refusals_size(), 1);
  EXPECT_EQ(found.refusals(0).rule(), "xmpp-message");
  EXPECT_EQ(found.refusals(0).from(), "bob@partner.example");
  EXPECT_EQ(found.refusals(0).answer(), "forbidden");
  Request("x");
  const std::string warning = LastHeader("Warning");
  EXPECT_NE(warning.find(context.refusals.Of("partner.example").refusals(0).id()),
            std::string::npos)
      << warning;
}

TEST_F(Permission, WhatIsDroppedIsRememberedOnceAndPushesOutNothingThatWasTold) {
  Offer(Message("x", "m1"));
  SayOfFirst(proto::CONTACT_UNKNOWN);
  const std::string text = TextOfError(TakeStanza());
  const std::string told = text.substr(text.find('(') + 1, 8);
  for (int i = 0; i < 100; ++i) Offer(Presence("unavailable"));
  const proto::RefusalRecords found = context.refusals.Of("partner.example");
  ASSERT_EQ(found.refusals_size(), 2);
  EXPECT_EQ(context.refusals.Find(told).refusals_size(), 1) << told;
  const bool first = found.refusals(0).id() == told;
  const proto::RefusalRecord& dropped = found.refusals(first ? 1 : 0);
  EXPECT_EQ(dropped.kind(), "presence");
  EXPECT_EQ(dropped.reason(), "not-awaited");
  EXPECT_EQ(dropped.answer(), "");
  EXPECT_EQ(Count("gatehouse_policy_verdicts_total", "{reason=\"not-awaited\"}"), 100);
}

}  // namespace
}  // namespace gatehouse::translator
