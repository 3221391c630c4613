// Instances of the other end that come, die, come again and go for good.
#include <gmock/gmock.h>

#include "tests/unit/ipc/data_link_scene.h"

namespace gatehouse::ipc {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST_F(DataLinkTest, LosesNothingWhicheverEndHearsOfTheOtherFirst) {
  for (const bool listener_first : {true, false}) {
    auto translator = Translator(11);
    auto listener = Listener(21);
    listener->Offer("a");
    translator->Offer("b");
    const auto tell_listener = [&] { listener->life.HearOf(translator->life, address); };
    const auto tell_translator = [&] { translator->life.HearOf(listener->life); };
    listener_first ? tell_listener() : tell_translator();
    // The greeting has long arrived, and met one who knows nothing of its sender.
    const double& dropped = translator->life.metrics.Value("gatehouse_link_frames_dropped_total");
    if (listener_first)
      ASSERT_TRUE(Until([&] { return dropped >= 1; }));
    else
      Turns(20);
    EXPECT_THAT(translator->held, IsEmpty());
    EXPECT_THAT(listener->held, IsEmpty());
    listener_first ? tell_translator() : tell_listener();
    ASSERT_TRUE(Until([&] { return translator->held.size() == 1 && listener->held.size() == 1; }));
    EXPECT_EQ(translator->held[0].attempt, 1U);
    EXPECT_EQ(listener->held[0].attempt, 1U);
    translator->Settle(Outcome::Delivered());
    listener->Settle(Outcome::Delivered());
    ASSERT_TRUE(
        Until([&] { return listener->outcomes.size() + translator->outcomes.size() == 2; }));
  }
}

TEST_F(DataLinkTest, OffersAgainInOrderWhenTheBinderIsReborn) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  for (const char* body : {"a", "b", "c", "d"}) listener->Offer(body);
  ASSERT_TRUE(Until([&] { return translator->held.size() == 4; }));
  translator->held[1].ticket.Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  translator->Settle(Outcome::Failed(1));  // dies with it unsaid
  translator.reset();
  listener->Offer("e");

  translator = Translator(12);
  Introduce(*listener, *translator);
  ASSERT_TRUE(Until([&] { return translator->held.size() == 4; }));
  EXPECT_THAT(translator->bodies(), ElementsAre("a", "c", "d", "e"));
  EXPECT_EQ(translator->held[0].attempt, 2U);
  EXPECT_EQ(translator->held[0].seq, 1U);
  // Nothing meant for the dead life waited in a socket.
  EXPECT_EQ(translator->life.metrics.Value("gatehouse_link_frames_dropped_total"), 0);
  translator->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 5; }));
}

TEST_F(DataLinkTest, OffersAgainInOrderWhenTheConnectorIsReborn) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  for (const char* body : {"a", "b", "c"}) translator->Offer(body);
  ASSERT_TRUE(Until([&] { return listener->held.size() == 3; }));
  listener->Settle(Outcome::Failed(1));
  listener.reset();
  translator->Offer("d");
  Turns(5);

  listener = Listener(22);
  Introduce(*listener, *translator);
  ASSERT_TRUE(Until([&] { return listener->held.size() == 4; }));
  EXPECT_THAT(listener->bodies(), ElementsAre("a", "b", "c", "d"));
  listener->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return translator->outcomes.size() == 4; }));
  EXPECT_THAT(translator->outcomes, Each(Pair(testing::_, Outcome::Delivered())));
}

TEST_F(DataLinkTest, AReceiverMayFinishWhatADeadSenderOffered) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  listener->Offer("orphan");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 1; }));
  listener.reset();
  listener = Listener(22);
  Introduce(*listener, *translator);
  listener->Offer("first of the next life");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 2; }));
  translator->held[0].ticket.Settle(Outcome::Failed(9));  // the same number, another life
  translator->held[1].ticket.Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  EXPECT_EQ(listener->outcomes[0].second, Outcome::Delivered());
}

TEST_F(DataLinkTest, GrowsWithTheNumberOfInstances) {
  auto translator = Translator(11);
  EXPECT_EQ(translator->set().size(), 1U);
  auto first = Listener(21);
  auto second = Listener(31, 64, 65536, 1);
  first->life.HearOf(translator->life, address);
  second->life.HearOf(translator->life, address);
  translator->life.HearOf(first->life, "", 2);
  EXPECT_EQ(translator->set().size(), 2U);
  EXPECT_EQ(translator->set().At(1).instance(), "listener/1");
  translator->Offer("for the second", 30s, 1);  // before it is up
  translator->life.HearOf(second->life, "", 2);
  ASSERT_TRUE(Until([&] { return second->held.size() == 1; }));
  EXPECT_THAT(first->held, IsEmpty());
  second->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return translator->outcomes.size() == 1; }));
}

TEST_F(DataLinkTest, FailsWhatWasOfferedToAnInstanceThatIsGone) {
  auto translator = Translator(11);
  auto listener = Listener(21, 64, 65536, 1);
  listener->life.HearOf(translator->life, address);
  translator->life.HearOf(listener->life, "", 2);
  translator->Offer("a", 30s, 1);
  ASSERT_TRUE(Until([&] { return listener->held.size() == 1; }));
  proto::Sibling gone;
  gone.set_plugin("listener");
  gone.set_instance("listener/1");
  gone.set_instance_count(1);
  translator->life.links().SiblingGone(gone);
  ASSERT_EQ(translator->outcomes.size(), 1U);
  EXPECT_EQ(translator->outcomes[0].second, Outcome::GivenUp(6, "listener/1 was scaled away"));
  EXPECT_EQ(translator->set().size(), 1U);
  translator->Offer("b", 30s, 1);
  ASSERT_TRUE(Until([&] { return translator->outcomes.size() == 2; }));
  EXPECT_TRUE(translator->outcomes[1].second.by_link);
}

TEST_F(DataLinkTest, KnowsAnInstanceAsGoneThatItNeverMet) {
  auto translator = Translator(11);
  proto::Sibling gone;
  gone.set_plugin("listener");
  gone.set_instance("listener/1");
  gone.set_instance_count(2);
  translator->life.links().SiblingGone(gone);
  ASSERT_EQ(translator->set().size(), 2U);
  EXPECT_TRUE(translator->set().At(1).gone());
  EXPECT_FALSE(translator->set().At(0).gone());
  translator->Offer("a", 30s, 1);
  ASSERT_TRUE(Until([&] { return translator->outcomes.size() == 1; }));
  EXPECT_TRUE(translator->outcomes[0].second.by_link);
  auto listener = Listener(31, 64, 65536, 1);
  listener->life.HearOf(translator->life, address);
  translator->life.HearOf(listener->life, "", 2);
  translator->Offer("b", 30s, 1);
  ASSERT_TRUE(Until([&] { return listener->held.size() == 1; }));
}

TEST_F(DataLinkTest, ClosesFromWithinAnOfferAndOpensToTheNextLife) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  int seen = 0;
  translator->set().OnOffers([&](const Received& received, Ticket ticket) {
    ++seen;
    translator->life.links().Close(received.instance);
    ticket.Settle(Outcome::Failed(1));
  });
  listener->Offer("malformed for the plugin");
  listener->Offer("never seen");
  ASSERT_TRUE(Until([&] { return seen == 1; }));
  Turns(20);
  EXPECT_EQ(seen, 1);
  EXPECT_THAT(listener->outcomes, IsEmpty());

  listener = Listener(22);
  Introduce(*listener, *translator);
  listener->Offer("good");
  ASSERT_TRUE(Until([&] { return seen == 2; }));
}

}  // namespace
}  // namespace gatehouse::ipc
