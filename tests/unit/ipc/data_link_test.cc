// Data links over real sockets, both ends in one process.
#include <gmock/gmock.h>

#include <deque>
#include <optional>

#include "ipc/zmq_socket.h"
#include "proto/data_link.pb.h"
#include "tests/unit/ipc/link_scene.h"

namespace gatehouse::ipc {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

struct Held {
  std::string body;
  std::uint32_t attempt = 0;
  std::uint64_t seq = 0;
  Ticket ticket;
};

// A worker with one data link: keeps the tickets of what it receives and the outcomes of what it
// offers.
struct Talker {
  Talker(LinkScene& a_scene, const std::string& instance, std::uint64_t epoch,
         const std::string& sibling, const std::string& binds_at, std::uint32_t window = 64,
         std::uint32_t max_message_bytes = 65536)
      : scene(a_scene), life(a_scene, instance, epoch), sibling_plugin(sibling) {
    proto::LinkEnd end;
    end.set_kind(proto::DATA);
    end.set_sibling_plugin(sibling);
    end.set_binds(!binds_at.empty());
    end.set_address(binds_at);
    end.set_window(window);
    end.set_max_message_bytes(max_message_bytes);
    EXPECT_TRUE(life.links().Open(end));
    set().OnOffers([this](const Received& received, Ticket ticket) {
      held.push_back(
          Held{std::string(received.body), received.attempt, received.seq, std::move(ticket)});
      if (settles_at_once) held.back().ticket.Settle(Outcome::Delivered());
    });
  }
  ~Talker() { Settle(Outcome::Delivered()); }

  DataLinkSet& set() { return *life.links().DataLinksWith(sibling_plugin); }
  void Offer(const std::string& body, milliseconds expires = 30s, std::size_t index = 0,
             const std::string& key = "pair") {
    set().At(index).Offer(
        key, body, scene.loop->Now() + expires,
        [this, body](const Outcome& outcome) { outcomes.emplace_back(body, outcome); });
  }
  void Settle(const Outcome& outcome) {
    for (Held& offer : held)
      if (offer.ticket.pending()) offer.ticket.Settle(outcome);
  }
  [[nodiscard]] std::vector<std::string> bodies() const {
    std::vector<std::string> all;
    for (const Held& offer : held) all.push_back(offer.body);
    return all;
  }

  LinkScene& scene;
  Life life;
  std::string sibling_plugin;
  bool settles_at_once = false;
  std::deque<Held> held;
  std::vector<std::pair<std::string, Outcome>> outcomes;
};

struct DataLinkTest : LinkScene {
  std::string address = folder.Address("data.sock");

  std::unique_ptr<Talker> Translator(std::uint64_t epoch, std::uint32_t window = 64,
                                     std::uint32_t max_message_bytes = 65536) {
    return std::make_unique<Talker>(*this, "translator/0", epoch, "listener", address, window,
                                    max_message_bytes);
  }
  std::unique_ptr<Talker> Listener(std::uint64_t epoch, std::uint32_t window = 64,
                                   std::uint32_t max_message_bytes = 65536, int index = 0) {
    return std::make_unique<Talker>(*this, "listener/" + std::to_string(index), epoch, "translator",
                                    "", window, max_message_bytes);
  }
  void Introduce(Talker& listener, Talker& translator, std::uint32_t listeners = 1) const {
    listener.life.HearOf(translator.life, address);
    translator.life.HearOf(listener.life, "", listeners);
  }
};

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

TEST_F(DataLinkTest, AnExpiredOfferIsSettledOnceAndTheLateSettleIgnored) {
  auto translator = Translator(11);
  auto listener = Listener(21);
  Introduce(*listener, *translator);
  listener->Offer("opens the link");
  ASSERT_TRUE(Until([&] { return translator->held.size() == 1; }));
  translator->Settle(Outcome::Delivered());
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 1; }));
  listener->Offer("slow", 300ms);
  ASSERT_TRUE(Until([&] { return translator->held.size() == 2; }));
  ASSERT_TRUE(Until([&] { return listener->outcomes.size() == 2; }));
  EXPECT_EQ(listener->outcomes[1].second, Outcome::Expired());
  translator->Settle(Outcome::Delivered());
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

// A sibling gone wrong, at the level of frames.
struct RogueTest : DataLinkTest {
  std::unique_ptr<Talker> translator = Translator(11);
  std::unique_ptr<ZmqSocket> rogue;

  RogueTest() {
    ZmqSocket::Options options;
    options.routing_id = "listener/0";
    options.linger = 0ms;
    rogue = ZmqSocket::Create(*context, ZmqKind::kDealer, options).value();
    EXPECT_TRUE(rogue->Connect(address));
    const Life announced(*this, "listener/0", 21);
    translator->life.HearOf(announced);
  }
  void Send(const std::string& bytes) const {
    ZmqMessage message(bytes.size());
    std::copy(bytes.begin(), bytes.end(), message.data());
    EXPECT_EQ(rogue->Send({}, message), ZmqSocket::Sent::kSent);
  }
  void Send(const proto::DataFrame& frame) const { Send(frame.SerializeAsString()); }
  static proto::DataFrame Frame() {
    proto::DataFrame frame;
    frame.set_sender_epoch(21);
    frame.set_receiver_epoch(11);
    return frame;
  }
  // Still serves others, and has closed this one.
  void ExpectClosed() {
    ASSERT_TRUE(Until([&] { return !translator->life.malformed.empty(); }));
    EXPECT_THAT(translator->life.malformed, ElementsAre(Pair("listener/0", testing::_)));
    proto::DataFrame frame = Frame();
    frame.add_offers()->set_seq(1000);
    Send(frame);
    Send("again");
    auto honest = Listener(31, 64, 65536, 1);
    honest->life.HearOf(translator->life, address);
    translator->life.HearOf(honest->life, "", 2);
    honest->Offer("honest");
    ASSERT_TRUE(Until([&] { return !translator->held.empty(); }));
    EXPECT_THAT(translator->bodies(), ElementsAre("honest"));
    EXPECT_THAT(translator->life.malformed, SizeIs(1));
  }
};

TEST_F(RogueTest, AFrameThatCannotBeReadClosesTheLink) {
  Send("\xFF\xFF\xFF\xFF not protobuf");
  ExpectClosed();
}

TEST_F(RogueTest, ASettleOfWhatWasNeverOfferedClosesTheLink) {
  proto::DataFrame frame = Frame();
  proto::Settle& settle = *frame.add_settles();
  settle.set_seq(5);
  settle.mutable_outcome()->set_kind(proto::Outcome::DELIVERED);
  Send(frame);
  ExpectClosed();
}

TEST_F(RogueTest, ASettleWithoutAnOutcomeClosesTheLink) {
  proto::DataFrame frame = Frame();
  frame.add_settles()->set_seq(5);
  Send(frame);
  ExpectClosed();
}

TEST_F(RogueTest, AnOfferWithoutANumberClosesTheLink) {
  proto::DataFrame frame = Frame();
  frame.add_offers()->set_body("x");
  Send(frame);
  ExpectClosed();
}

TEST_F(RogueTest, AFrameLargerThanTheLinkAllowsClosesTheLink) {
  proto::DataFrame frame = Frame();
  proto::Offer& offer = *frame.add_offers();
  offer.set_seq(1);
  offer.set_body(std::string(70000, 'x'));
  Send(frame);
  ExpectClosed();
  EXPECT_EQ(translator->life.malformed[0].second, "too large");
}

TEST_F(RogueTest, AFrameThatThreatensMemoryIsNotEvenRead) {
  Send(std::string(1000000, 'x'));
  Send("small and malformed");  // over the connection ZeroMQ makes anew
  ExpectClosed();
}

TEST_F(RogueTest, DropsFramesOfLivesItWasNotToldOf) {
  proto::DataFrame frame = Frame();
  frame.add_offers()->set_seq(1);
  frame.set_sender_epoch(20);
  Send(frame);
  frame = Frame();
  frame.add_offers()->set_seq(1);
  frame.set_receiver_epoch(10);
  Send(frame);
  const double& dropped = translator->life.metrics.Value("gatehouse_link_frames_dropped_total");
  ASSERT_TRUE(Until([&] { return dropped == 2; }));
  EXPECT_THAT(translator->held, IsEmpty());
  EXPECT_THAT(translator->life.malformed, IsEmpty());
}

TEST_F(RogueTest, ARepeatIsGivenToTheReceiverOnce) {
  proto::DataFrame frame = Frame();
  proto::Offer& offer = *frame.add_offers();
  offer.set_seq(1);
  offer.set_body("once");
  offer.set_expires_in_ms(30000);
  Send(frame);
  Send(frame);
  frame.mutable_offers(0)->set_seq(2);
  Send(frame);
  ASSERT_TRUE(Until([&] { return translator->held.size() == 2; }));
  EXPECT_EQ(translator->held[0].seq, 1U);
  EXPECT_EQ(translator->held[1].seq, 2U);
}

TEST_F(RogueTest, ARepeatOfASettledOfferGetsTheStoredOutcome) {
  proto::DataFrame frame = Frame();
  frame.add_offers()->set_seq(1);
  Send(frame);
  ASSERT_TRUE(Until([&] { return translator->held.size() == 1; }));
  translator->Settle(Outcome::Failed(7, "first answer"));
  Send(frame);
  int settles = 0;
  ZmqMessage from;
  ZmqMessage body;
  ZmqFrame received;
  ASSERT_TRUE(Until([&] {
    while (rogue->Receive(from, body, received)) {
      proto::DataFrame answer;
      EXPECT_TRUE(
          answer.ParseFromArray(received.body.data(), static_cast<int>(received.body.size())));
      for (const proto::Settle& settle : answer.settles()) {
        EXPECT_EQ(settle.outcome().text(), "first answer");
        ++settles;
      }
    }
    return settles == 2;
  }));
  EXPECT_EQ(translator->held.size(), 1U);
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
