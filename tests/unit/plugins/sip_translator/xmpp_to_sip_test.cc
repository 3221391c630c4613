#include "plugins/sip_translator/xmpp_to_sip.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/policy/partner_type.h"
#include "plugins/sip_translator/transaction_ids.h"
#include "tests/unit/plugins/sip_translator/flow_fixture.h"

namespace gatehouse::translator {
namespace {

class XmppToSipFlow : public FlowTest {};

TEST_F(XmppToSipFlow, SettlesAsDeliveredOnlyAfterA2xx) {
  const auto seq = Offer(Message("Lunch?", "m1"));
  ASSERT_EQ(endpoint.sent.size(), 1U);
  const FakeSipEndpoint::Request& request = endpoint.sent.front().request;
  EXPECT_EQ(request.request_uri, "sip:ann@corp.example");
  EXPECT_EQ(request.to, "<sip:ann@corp.example>");
  EXPECT_TRUE(request.from.starts_with("<sip:bob@partner.example;gr=home>;tag="));
  EXPECT_EQ(request.body, "Lunch?");
  EXPECT_EQ(request.content_type, "text/plain; charset=UTF-8");
  EXPECT_EQ(request.next_hop, "sip:pool.corp.example:5060;transport=tcp");
  EXPECT_EQ(request.max_bytes, 1300U);
  EXPECT_TRUE(outcomes.empty());
  endpoint.AnswerFirst(200, "OK");
  EXPECT_TRUE(IsDelivered(seq));
  EXPECT_TRUE(links.At(0).offers.empty()) << "a delivered message is answered with nothing";
}

TEST_F(XmppToSipFlow, NamesTheTransactionOfAnOfferTheSameInEveryLife) {
  const TransactionIds first = IdsOfOffer(1, 2);
  EXPECT_EQ(IdsOfOffer(1, 2).branch.characters, first.branch.characters);
  EXPECT_EQ(IdsOfOffer(1, 2).call_id.characters, first.call_id.characters);
  EXPECT_EQ(IdsOfOffer(1, 2).tag.characters, first.tag.characters);
  EXPECT_NE(IdsOfOffer(1, 3).branch.characters, first.branch.characters);
  EXPECT_NE(IdsOfOffer(2, 2).branch.characters, first.branch.characters);
  EXPECT_EQ(std::string_view(first.branch).size(), 7U + 32U);
  Offer(Message("x", "m1"));
  EXPECT_EQ(endpoint.sent.front().request.branch, std::string_view(IdsOfOffer(kEpoch, 1).branch));
  EXPECT_EQ(endpoint.sent.front().request.cseq, IdsOfOffer(kEpoch, 1).cseq);
}

TEST_F(XmppToSipFlow, KeepsOneTransactionOfAPairInFlightAndTheRestInOrder) {
  for (const auto* body : {"1", "2", "3"}) Offer(Message(body, body));
  proto::Element other = Message("other", "o1");
  SetAttribute(other, "from", "carol@partner.example");
  Offer(std::move(other));
  ASSERT_EQ(endpoint.sent.size(), 2U);
  EXPECT_EQ(endpoint.sent[0].request.body, "1");
  EXPECT_EQ(endpoint.sent[1].request.body, "other");
  endpoint.AnswerFirst(200, "OK");
  EXPECT_EQ(endpoint.sent.back().request.body, "2");
  endpoint.AnswerFirst(200, "OK");  // other
  endpoint.AnswerFirst(200, "OK");  // 2
  EXPECT_EQ(endpoint.sent.back().request.body, "3");
}

TEST_F(XmppToSipFlow, TellsTheSenderOfAFailureBeforeItSettles) {
  const auto seq = Offer(Message("x", "m1"));
  endpoint.AnswerFirst(480, "Gone to lunch", "Warning: 399 pool.internal \"secret\"\r\n");
  EXPECT_TRUE(outcomes.empty()) << "not before the error is out";
  const proto::Element error = TakeStanza();
  EXPECT_EQ(Attribute(error, "type"), "error");
  EXPECT_EQ(Attribute(error, "id"), "m1");
  EXPECT_EQ(Attribute(error, "from"), "ann@corp.example");
  EXPECT_EQ(Attribute(error, "to"), "bob@partner.example/home");
  EXPECT_EQ(ConditionOf(error), "recipient-unavailable/wait");
  EXPECT_EQ(FindChild(error, "body", ns::kServer), nullptr);
  EXPECT_EQ(Attribute(*FindChild(error, "error", ns::kServer), "by"), "corp.example");
  EXPECT_EQ(error.SerializeAsString().find("secret"), std::string::npos);
  EXPECT_NE(error.SerializeAsString().find("Gone to lunch"), std::string::npos);
  ASSERT_TRUE(outcomes.contains(seq));
  EXPECT_EQ(outcomes[seq].kind, ipc::OutcomeKind::kFailed);
  EXPECT_EQ(outcomes[seq].condition, proto::RECIPIENT_UNAVAILABLE);
}

TEST_F(XmppToSipFlow, RemembersAFailureUnderTheIdThatItsSenderReads) {
  const auto told_id = [this] {
    const proto::Element error = TakeStanza();
    const proto::Element* words =
        FindChild(*FindChild(error, "error", ns::kServer), "text", ns::kStanzaErrors);
    const std::string text = words == nullptr ? "" : TextOf(*words);
    EXPECT_GT(text.size(), 10U);
    return text.size() < 10 ? text : text.substr(text.size() - 9, 8);
  };
  Offer(Message("x", "m1"));
  endpoint.AnswerFirst(404, "Not Found", "Warning: 399 pool.internal \"no such user\"\r\n");
  const std::string id = told_id();
  const proto::RefusalRecords found = context.refusals.Find(id);
  ASSERT_EQ(found.refusals_size(), 1) << id;
  EXPECT_EQ(found.refusals(0).from(), "bob@partner.example");
  EXPECT_EQ(found.refusals(0).to(), "ann@corp.example");
  EXPECT_EQ(found.refusals(0).reason(), "next-hop-refused");
  EXPECT_EQ(found.refusals(0).answer(), "item-not-found");
  EXPECT_NE(found.refusals(0).sentence().find("(404 Not Found 399 pool.internal"),
            std::string::npos)
      << found.refusals(0).sentence();
  Offer(Message("y", "m2"));
  endpoint.AnswerFirst(404, "Not Found");
  EXPECT_EQ(told_id(), id) << "the same within a minute is one record";
  Offer(Message("z", "m3"));
  endpoint.FailFirst(SipFailure::kTransport);
  EXPECT_NE(told_id(), id);
}

TEST_F(XmppToSipFlow, HandsAListenersOwnStanzaToTheOwnerOfItsPairAndSettlesAsThatOneDoes) {
  proto::InboundStanza inbound;
  proto::OutboundStanza& own = *inbound.mutable_own();
  own.set_local_domain("corp.example");
  own.set_remote_domain("partner.example");
  own.set_on_open_stream_only(true);
  *own.mutable_stanza() = MakeElement("iq", ns::kServer);
  const auto sent = OfferInbound(inbound);
  const auto unsent = OfferInbound(inbound);
  EXPECT_TRUE(outcomes.empty());
  EXPECT_EQ(TakeStanza().name(), "iq");
  EXPECT_TRUE(IsDelivered(sent));
  const auto failed = ipc::Outcome::Failed(proto::RECIPIENT_UNAVAILABLE, "no stream is open");
  TakeStanza(failed);
  EXPECT_EQ(outcomes[unsent], failed);
  EXPECT_TRUE(malformed.empty());
}

TEST_F(XmppToSipFlow, TellsTheSenderOfALongMessageWhatBecameOfIt) {
  const auto seq = Offer(Message(std::string(100'000, 'x'), "m1"));
  endpoint.AnswerFirst(404, "Not Found");
  const proto::Element error = TakeStanza();
  EXPECT_EQ(Attribute(error, "type"), "error");
  EXPECT_EQ(Attribute(error, "id"), "m1");
  EXPECT_EQ(Attribute(error, "to"), "bob@partner.example/home");
  EXPECT_EQ(FindChild(error, "body", ns::kServer), nullptr);
  EXPECT_EQ(outcomes[seq].kind, ipc::OutcomeKind::kFailed);
}

TEST_F(XmppToSipFlow, GoesOnWithThePairAfterAFailure) {
  Offer(Message("1", "1"));
  Offer(Message("2", "2"));
  endpoint.AnswerFirst(404, "Not Found");
  ASSERT_EQ(endpoint.sent.size(), 1U);
  EXPECT_EQ(endpoint.sent.front().request.body, "2");
}

TEST_F(XmppToSipFlow, TellsTheNewAddressOfA301) {
  Offer(Message("x", "m1"));
  endpoint.AnswerFirst(301, "Moved Permanently",
                       "Contact: <sip:Ann.New@corp.example;transport=tcp>\r\n");
  const proto::Element error = TakeStanza();
  EXPECT_EQ(ConditionOf(error), "gone/cancel");
  EXPECT_EQ(TextOf(*FirstChild(*FindChild(error, "error", ns::kServer))),
            "xmpp:ann.new@corp.example");
}

TEST_F(XmppToSipFlow, TurnsEveryWayOfGettingNoAnswerIntoAnError) {
  for (const auto& [failure, condition] :
       {std::pair{SipFailure::kTimeout, "remote-server-timeout/wait"},
        {SipFailure::kTransport, "remote-server-timeout/wait"},
        {SipFailure::kClosed, "remote-server-timeout/wait"},
        {SipFailure::kTlsIdentity, "remote-server-timeout/wait"},
        {SipFailure::kOwnRefused, "remote-server-timeout/wait"},
        {SipFailure::kNoRoute, "remote-server-not-found/cancel"}}) {
    Offer(Message("x", ""));
    endpoint.FailFirst(failure);
    EXPECT_EQ(ConditionOf(TakeStanza()), condition);
  }
  for (const auto& [refusal, condition] :
       {std::pair{SipSendRefusal::kTooLarge, "policy-violation/modify"},
        {SipSendRefusal::kInjection, "internal-server-error/wait"},
        {SipSendRefusal::kTooMany, "resource-constraint/wait"},
        {SipSendRefusal::kBadNextHop, "remote-server-timeout/wait"}}) {
    endpoint.refuse_with = refusal;
    Offer(Message("y", ""));
    EXPECT_EQ(ConditionOf(TakeStanza()), condition);
  }
}

TEST_F(XmppToSipFlow, EndsWhatWaitedBeyondItsDeadline) {
  Offer(Message("1", "1"));
  const auto second = Offer(Message("2", "2"));
  clock.Advance(seconds{59});
  xmpp_to_sip.Tick();
  EXPECT_TRUE(links.At(0).offers.empty());
  clock.Advance(seconds{1});
  xmpp_to_sip.Tick();
  EXPECT_EQ(ConditionOf(TakeStanza()), "remote-server-timeout/wait");
  EXPECT_TRUE(outcomes.contains(second));
  endpoint.AnswerFirst(200, "OK");
  EXPECT_TRUE(endpoint.sent.empty()) << "an expired message is not sent";
}

TEST_F(XmppToSipFlow, AnswersNeitherErrorsNorStanzasWithoutText) {
  proto::Element error = Message("x", "m1", "error");
  for (const auto seq :
       {Offer(std::move(error)), Offer(Message("", "m2")), Offer(Message("news", "m3", "error"))})
    EXPECT_TRUE(IsDelivered(seq));
  EXPECT_TRUE(endpoint.sent.empty());
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(XmppToSipFlow, RefusesGroupChatAndMessagesToTheDomain) {
  Offer(Message("x", "m1", "groupchat"));
  EXPECT_EQ(ConditionOf(TakeStanza()), "service-unavailable/cancel");
  proto::Element to_domain = Message("x", "m2");
  SetAttribute(to_domain, "to", "corp.example");
  Offer(std::move(to_domain));
  EXPECT_EQ(ConditionOf(TakeStanza()), "service-unavailable/cancel");
}

TEST_F(XmppToSipFlow, DeliversHeadlinesOfFederatedPartnersOnly) {
  Offer(Message("news", "m1", "headline"));
  EXPECT_EQ(endpoint.sent.size(), 1U);
  context.policy = Policy(kPublicVerified);
  EXPECT_TRUE(IsDelivered(Offer(Message("more news", "m2", "headline"))));
  EXPECT_EQ(endpoint.sent.size(), 1U);
}

TEST_F(XmppToSipFlow, RefusesWhatPolicyForbidsWithoutAnySip) {
  proto::InboundStanza weak = Inbound(Message("x", "m1"));
  weak.set_method(proto::TCP_DIALBACK);
  OfferInbound(weak);
  EXPECT_EQ(ConditionOf(TakeStanza()), "forbidden/auth");
  *weak.mutable_stanza() = Message("x", "m2", "error");
  EXPECT_TRUE(IsDelivered(OfferInbound(weak))) << "an error is never answered";
  EXPECT_TRUE(links.At(0).offers.empty());
  EXPECT_TRUE(endpoint.sent.empty());
  EXPECT_EQ(Count("gatehouse_policy_verdicts_total", "{reason=\"method-not-permitted\"}"), 2);
}

TEST_F(XmppToSipFlow, AnswersForAUserWithoutXmppAccessAsForOneWhoIsNotThere) {
  proto::Element message = Message("x", "m1");
  SetAttribute(message, "to", "Carl@corp.example/pc");
  Offer(std::move(message));
  EXPECT_EQ(ConditionOf(TakeStanza()), "forbidden/auth");
  EXPECT_TRUE(endpoint.sent.empty());
  EXPECT_EQ(Count("gatehouse_policy_verdicts_total", "{reason=\"no-xmpp-access\"}"), 1);
}

TEST_F(XmppToSipFlow, HasASiblingRestartedThatLiesAboutItsPair) {
  proto::InboundStanza lie = Inbound(Message("x", "m1"));
  lie.set_from_domain("other.example");
  OfferInbound(lie);
  EXPECT_EQ(malformed, "tls_listener/0");
  malformed.clear();
  proto::Element deep = Message("x", "m1");
  proto::Element* inner = &deep;
  for (int i = 0; i < 40; ++i) inner = &AddChild(*inner, "x", "y");
  Offer(std::move(deep));
  EXPECT_EQ(malformed, "tls_listener/0");
  EXPECT_TRUE(outcomes.empty());
  EXPECT_TRUE(endpoint.sent.empty());
}

TEST_F(XmppToSipFlow, BlamesNoListenerForAsManyChildrenAsItsReaderTakes) {
  proto::Element crowded = Message("x", "m1");
  for (int i = 1; i < kMaxChildren; ++i) {
    AddText(crowded, "between");
    AddChild(crowded, "x", "y");
  }
  AddText(crowded, "behind");
  Offer(std::move(crowded));
  EXPECT_EQ(malformed, "");
  EXPECT_EQ(endpoint.sent.size(), 1U);
}

TEST_F(XmppToSipFlow, DropsARepeatButNotANewAttemptAfterAFailure) {
  Offer(Message("x", "m1"));
  EXPECT_TRUE(IsDelivered(Offer(Message("x", "m1")))) << "the first is under way";
  EXPECT_EQ(endpoint.sent.size(), 1U);
  endpoint.AnswerFirst(480, "Away");
  TakeStanza();
  Offer(Message("x", "m1"));
  EXPECT_EQ(endpoint.sent.size(), 1U) << "the sender tries again";
  endpoint.AnswerFirst(200, "OK");
  Offer(Message("x", "m2"));
  Offer(Message("y", "m1"));
  EXPECT_EQ(Count("gatehouse_stanzas_total", "{direction=\"in\",result=\"repeated\"}"), 1);
  endpoint.AnswerFirst(200, "OK");
  endpoint.AnswerFirst(200, "OK");
  clock.Advance(std::chrono::minutes{6});
  Offer(Message("x", "m2"));
  EXPECT_EQ(endpoint.sent.size(), 1U) << "remembered for five minutes only";
}

TEST_F(XmppToSipFlow, CapsIdenticalMessages) {
  for (int i = 0; i < 10; ++i) {
    Offer(Message("spam", ""));
    endpoint.AnswerFirst(200, "OK");
  }
  Offer(Message("spam", ""));
  EXPECT_EQ(ConditionOf(TakeStanza()), "policy-violation/modify");
  clock.Advance(seconds{10});
  Offer(Message("spam", ""));
  EXPECT_EQ(endpoint.sent.size(), 1U);
}

TEST_F(XmppToSipFlow, HoldsOffersUntilTheFirstSnapshot) {
  context.policy = nullptr;
  const auto seq = Offer(Message("x", "m1"));
  EXPECT_TRUE(endpoint.sent.empty());
  EXPECT_TRUE(outcomes.empty());
  context.policy = Policy();
  xmpp_to_sip.OnSnapshot();
  endpoint.AnswerFirst(200, "OK");
  EXPECT_TRUE(IsDelivered(seq));
}

TEST_F(XmppToSipFlow, LeavesWhatItHoldsToItsSenderWhenItEnds) {
  Offer(Message("in flight", "m1"));
  xmpp_to_sip.Drain();
  EXPECT_EQ(xmpp_to_sip.under_way(), 1U);
  Offer(Message("held", "m2"));
  endpoint.AnswerFirst(200, "OK");
  EXPECT_EQ(xmpp_to_sip.under_way(), 0U);
  xmpp_to_sip.LeaveToNextLife();
  EXPECT_EQ(outcomes.size(), 1U) << "the held one is not settled: it goes to the next life";
}

TEST_F(XmppToSipFlow, AnswersPingAndDiscoveryOfTheDomain) {
  const auto ask = [this](std::string_view to, std::string_view name, std::string_view space,
                          std::string_view type) {
    proto::Element iq = MakeElement("iq", ns::kServer);
    SetAttribute(iq, "from", "bob@partner.example/home");
    SetAttribute(iq, "to", to);
    SetAttribute(iq, "id", "q1");
    SetAttribute(iq, "type", type);
    AddChild(iq, name, space);
    return Offer(std::move(iq));
  };
  ask("corp.example", "ping", ns::kPing, "get");
  const proto::Element pong = TakeStanza();
  EXPECT_EQ(Attribute(pong, "type"), "result");
  EXPECT_EQ(Attribute(pong, "id"), "q1");
  ask("corp.example", "query", "http://jabber.org/protocol/disco#info", "get");
  const proto::Element info = TakeStanza();
  EXPECT_EQ(Attribute(*FirstChild(*FirstChild(info)), "category"), "gateway");
  for (const auto& [to, name, space] : {std::tuple{"corp.example", "query", "jabber:iq:version"},
                                        {"ann@corp.example", "ping", "urn:xmpp:ping"},
                                        {"ann@corp.example", "vCard", "vcard-temp"}}) {
    ask(to, name, space, "get");
    EXPECT_EQ(ConditionOf(TakeStanza()), "service-unavailable/cancel") << to << space;
  }
  for (const auto* type : {"result", "error"})
    EXPECT_TRUE(IsDelivered(ask("corp.example", "ping", ns::kPing, type)));
  EXPECT_TRUE(links.At(0).offers.empty());
}

TEST_F(XmppToSipFlow, TellsTheSipUserOfALateErrorOncePerMinute) {
  const auto fail = [this](const std::string& id, std::string_view from) {
    proto::Element error = Message("x", id, "error");
    SetAttribute(error, "from", from);
    AddChild(AddChild(error, "error", ns::kServer), "item-not-found", ns::kStanzaErrors);
    Offer(std::move(error));
  };
  Request("one");
  const std::string first(Attribute(TakeStanza(), "id"));
  Request("two");
  const std::string second(Attribute(TakeStanza(), "id"));
  EXPECT_EQ(first.size(), 22U);
  fail(first, "mallory@partner.example");
  EXPECT_TRUE(endpoint.sent.empty()) << "not the contact it was sent to";
  fail(first, "bob@partner.example");
  ASSERT_EQ(endpoint.sent.size(), 1U);
  EXPECT_EQ(endpoint.sent.front().request.body,
            "Your message could not be delivered: item-not-found");
  EXPECT_TRUE(endpoint.sent.front().request.from.starts_with("<sip:bob@partner.example>;tag="));
  fail(second, "bob@partner.example");
  EXPECT_EQ(endpoint.sent.size(), 1U) << "one per contact and minute";
  fail(first, "bob@partner.example");
  EXPECT_EQ(Count("gatehouse_late_errors_total", "{result=\"unknown\"}"), 2);
}

TEST_F(XmppToSipFlow, WritesSipUsersAsTheyWriteThemselves) {
  Request("hello", "sip:bob@partner.example", "sip:Ann@corp.example");
  EXPECT_EQ(Attribute(TakeStanza(), "from"), "ann@corp.example");
  Offer(Message("x", "m1"));
  EXPECT_EQ(endpoint.sent.front().request.request_uri, "sip:Ann@corp.example");
}

}  // namespace
}  // namespace gatehouse::translator
