// What is offered over a data link, and how it is settled.
#include <gmock/gmock.h>

#include "tests/unit/ipc/data_link_scene.h"

namespace gatehouse::ipc {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST_F(DataLinkTest, OffersAndSettlesBothWays) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  listener->Offer("to sip");
  translator->Offer("to xmpp");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 1 && listener->held.size() == 1; }));
  EXPECT_EQ(translator->held[0].body, "to sip");
  EXPECT_EQ(translator->held[0].attempt, 1U);
  EXPECT_EQ(listener->held[0].body, "to xmpp");
  translator->Settle(Outcome::Failed(7, "busy", 1500ms));
  listener->Settle(Outcome::Delivered());
  ASSERT_TRUE(
      Until([&] { return listener->outcomes.size() == 1 && translator->outcomes.size() == 1; }));
  EXPECT_THAT(listener->outcomes, ElementsAre(Pair("to sip", Outcome::Failed(7, "busy", 1500ms))));
  EXPECT_THAT(translator->outcomes, ElementsAre(Pair("to xmpp", Outcome::Delivered())));
  EXPECT_EQ(listener->life.links().unsettled(), 0U);
}

TEST_F(DataLinkTest, WhatTheOtherEndSettlesLateWasNotExpiredMeanwhile) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  listener->Offer("opens the link");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 1; }));
  translator->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  const auto deadline = std::chrono::steady_clock::now() + 300ms;
  listener->Offer("slow", 300ms);
  ASSERT_TRUE(Until([&] { return translator->held.size() == 2; }));
  ASSERT_TRUE(Until([&] { return std::chrono::steady_clock::now() > deadline + 100ms; }));
  EXPECT_EQ(listener->outcomes.size(), 1U);
  translator->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 2; }));
  EXPECT_EQ(listener->outcomes[1].second, Outcome::Delivered());
  listener->Offer("next");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 3; }));
  translator->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 3; }));
  EXPECT_THAT(listener->life.malformed, IsEmpty());
}

TEST_F(DataLinkTest, ExpiresWithoutAnybodyOnTheOtherSide) {
  auto listener = Listener(21);
  listener->Offer("alone", 20ms);
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  EXPECT_EQ(listener->outcomes[0].second, Outcome::Expired());
}

TEST_F(DataLinkTest, AFullWindowStopsAndResumesAtHalf) {
  auto translator = Translator(11, 8);
  auto listener = Listener(21, 8);
  Introduce(*listener, *translator);
  DataLink& link = listener->set().At(0);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(link.HasRoom("k" + std::to_string(i)));
    listener->Offer("x", 30s, 0, "k" + std::to_string(i));
  }
  EXPECT_FALSE(link.HasRoom("new"));
  int resumed = 0;
  link.WhenRoom("new", [&resumed] { ++resumed; });
  ASSERT_TRUE(Until([&] { return translator->held.size() == 8; }));
  for (std::size_t i = 0; i < 3; ++i) translator->held[i].ticket.Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 3; }));
  EXPECT_EQ(resumed, 0);
  translator->held[3].ticket.Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return resumed == 1; }));
  translator->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 8; }));
  EXPECT_EQ(resumed, 1);
}

TEST_F(DataLinkTest, WhenRoomResumesEvenIfThereIsRoomAlready) {
  auto listener = Listener(21);
  int resumed = 0;
  listener->set().At(0).WhenRoom("pair", [&resumed] { ++resumed; });
  EXPECT_EQ(resumed, 0);
  ASSERT_TRUE(Until([&] { return resumed == 1; }));
}

TEST_F(DataLinkTest, CarriesThousandsInOrderBothWaysAtOnce) {
  auto translator = Translator(11, 1024);
  auto listener = Listener(21, 1024);
  Introduce(*listener, *translator);
  translator->settles_at_once = listener->settles_at_once = true;
  std::vector<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    expected.push_back(std::to_string(i));
    listener->Offer(expected.back());
    translator->Offer(expected.back());
  }
  ASSERT_TRUE(Until(
      [&] { return listener->outcomes.size() == 5000 && translator->outcomes.size() == 5000; }));
  EXPECT_EQ(translator->bodies(), expected);
  EXPECT_EQ(listener->bodies(), expected);
}

TEST_F(DataLinkTest, SplitsWhatIsTooMuchForOneFrame) {
  auto translator = Translator(11, 64, 20000);
  auto listener = Listener(21, 64, 20000);
  translator->settles_at_once = true;
  for (int i = 0; i < 20; ++i) listener->Offer(std::string(19000, 'x'));
  Introduce(*listener, *translator);
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 20; }));
  EXPECT_THAT(listener->outcomes, Each(Pair(testing::_, Outcome::Delivered())));
  EXPECT_THAT(translator->life.malformed, IsEmpty());
}

TEST_F(DataLinkTest, FailsWhatIsTooLargeForTheLink) {
  auto translator = Translator(11, 64, 20000);
  auto listener = Listener(21, 64, 20000);
  Introduce(*listener, *translator);
  listener->Offer(std::string(20000, 'x'));
  EXPECT_EQ(listener->life.links().unsettled(), 1U);
  EXPECT_THAT(listener->outcomes, IsEmpty());  // never inside the call
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  EXPECT_EQ(listener->outcomes[0].second, Outcome::GivenUp(7, "more than 20000 octets"));
  EXPECT_THAT(translator->held, IsEmpty());
}

TEST_F(DataLinkTest, WhatAPeerWroteIntoAnOutcomeDoesNotBreakTheFrame) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  listener->Offer("a");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 1; }));
  translator->Settle(Outcome::Failed(7, "caf\xE9 \xC0\x80 " + std::string(5000, 'x')));
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  EXPECT_THAT(listener->life.malformed, IsEmpty());
  EXPECT_TRUE(listener->outcomes[0].second.text.starts_with("caf? ?? x"));
  EXPECT_THAT(listener->outcomes[0].second.text, SizeIs(256));
}

TEST_F(DataLinkTest, ALostTicketFailsAndIsCounted) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  translator->set().OnOffers([](const Received&, const Ticket&) {});
  listener->Offer("a");
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  EXPECT_EQ(listener->outcomes[0].second.condition, 6U);
  EXPECT_TRUE(listener->outcomes[0].second.by_link) << "said by the other end, and by its link";
  EXPECT_EQ(translator->life.metrics.Value("gatehouse_bugs_total", "{bug=\"ticket_lost\"}"), 1);
}

TEST_F(DataLinkTest, ReadyMadeErrorsForBadAddresses) {
  Life life(*this, "translator/0", 11);
  proto::LinkEnd end;
  end.set_kind(proto::DATA);
  end.set_sibling_plugin("listener");
  end.set_binds(true);
  end.set_address("tcp://127.0.0.1:1");
  auto opened = life.links().Open(end);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::kConfig);
  EXPECT_THAT(opened.error().text, testing::HasSubstr("tcp://127.0.0.1:1"));
  end.set_address("ipc:///tmp/" + std::string(120, 'x'));
  opened = life.links().Open(end);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::kConfig);
  EXPECT_THAT(opened.error().text, testing::HasSubstr("shorter runtime folder"));
  end.set_address("ipc:///nowhere/at/all");
  opened = life.links().Open(end);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::kTrouble);
}

}  // namespace
}  // namespace gatehouse::ipc
