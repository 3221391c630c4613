// A sibling that breaks the protocol of data links.
#include <gmock/gmock.h>

#include "ipc/zmq_socket.h"
#include "proto/data_link.pb.h"
#include "tests/unit/ipc/data_link_scene.h"

namespace gatehouse::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace gatehouse::ipc
