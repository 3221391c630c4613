// Acknowledgements of an inbound stream (2.13).
#include <gtest/gtest.h>

#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

constexpr std::string_view kEnable = "<enable xmlns='urn:xmpp:sm:3'/>";
constexpr std::string_view kAsk = "<r xmlns='urn:xmpp:sm:3'/>";

std::string Failed(std::string_view condition) {
  return "<failed xmlns='urn:xmpp:sm:3'><" + std::string(condition) +
         " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
}

class AckedStream : public ::testing::Test {
 protected:
  void SetUp() override {
    scene_.UpToSasl();
    ASSERT_EQ(scene_.In(kEnable), "<enabled xmlns='urn:xmpp:sm:3'/>");
  }
  std::string Due() { return scene_.Told(scene_.machine_.OnAcksDue()); }
  StreamScene scene_{2};
};

TEST_F(AckedStream, AcknowledgesOnlyWhatIsSettled) {
  EXPECT_EQ(scene_.In(Message() + Message()), "[deliver 1][deliver 2]");
  EXPECT_EQ(scene_.In(kAsk), AckXml(0));
  EXPECT_FALSE(scene_.machine_.CountHandled(1));
  EXPECT_EQ(scene_.In(kAsk), AckXml(1));
}

TEST_F(AckedStream, SaysByItselfWhenAllThatWasAskedForIsSettled) {
  scene_.In(Message() + Message());
  scene_.In(kAsk);
  scene_.In(Message());  // not asked for yet
  EXPECT_FALSE(scene_.machine_.CountHandled(2));
  EXPECT_TRUE(scene_.machine_.CountHandled(1));
  EXPECT_EQ(Due(), AckXml(2));
  EXPECT_FALSE(scene_.machine_.CountHandled(3));
  EXPECT_EQ(scene_.In(kAsk), AckXml(3));
}

TEST_F(AckedStream, StaysBehindTheOldestStanzaThatIsNotSettled) {
  scene_.In(Message() + Message() + Message());
  scene_.machine_.CountHandled(3);
  scene_.machine_.CountHandled(2);
  EXPECT_EQ(scene_.In(kAsk), AckXml(0));
  EXPECT_TRUE(scene_.machine_.CountHandled(1));
  EXPECT_EQ(Due(), AckXml(3));
}

TEST_F(AckedStream, CountsAStanzaItAnswersItself) {
  EXPECT_EQ(scene_.In("<iq from='bob@partner.example' to='ann@corp.example' type='get'/>")
                .find("[answer"),
            0U);
  EXPECT_EQ(scene_.In(kAsk), AckXml(1));
}

TEST_F(AckedStream, DoesNotCountDialbackNorItsOwnElements) {
  scene_.In(kAsk);
  scene_.In("<a xmlns='urn:xmpp:sm:3' h='0'/>");
  EXPECT_EQ(scene_.In(kAsk), AckXml(0));
}

TEST_F(AckedStream, IsEnabledOnce) {
  EXPECT_EQ(scene_.In(kEnable), Failed("unexpected-request"));
}

TEST_F(AckedStream, ResumesNothing) {
  EXPECT_EQ(scene_.In("<resume xmlns='urn:xmpp:sm:3' previd='x' h='1'/>"),
            Failed("feature-not-implemented"));
}

TEST_F(AckedStream, EndsForAnAcknowledgementOfWhatWasNeverSent) {
  EXPECT_EQ(scene_.In("<a xmlns='urn:xmpp:sm:3' h='1'/>"),
            AckXml(0) + HandledTooHighXml(1, 0) + "[close undefined-condition]");
}

TEST_F(AckedStream, EndsForACountThatIsNoNumber) {
  EXPECT_EQ(scene_.In("<a xmlns='urn:xmpp:sm:3' h='many'/>"), AckXml(0) + OurError("invalid-xml"));
}

TEST_F(AckedStream, AcknowledgesBeforeItEnds) {
  scene_.In(Message());
  scene_.machine_.CountHandled(1);
  EXPECT_EQ(scene_.Told(scene_.machine_.CloseWith(StreamCondition::kSystemShutdown)),
            AckXml(1) + OurError("system-shutdown"));
}

TEST_F(AckedStream, AnswersAFooterOnceAllBeforeItIsSettled) {
  EXPECT_EQ(scene_.In(Message() + "</stream:stream>"), "[deliver 1]");
  EXPECT_TRUE(scene_.machine_.footer_waits());
  EXPECT_TRUE(scene_.machine_.CountHandled(1));
  EXPECT_EQ(Due(), AckXml(1) + "</stream:stream>[close peer-closed]");
}

TEST_F(AckedStream, AnswersAFooterWithWhatIsSettledByThen) {
  scene_.In(Message() + "</stream:stream>");
  EXPECT_EQ(scene_.Told(scene_.machine_.OnFooterWaited()),
            AckXml(0) + "</stream:stream>[close peer-closed]");
  EXPECT_EQ(scene_.Told(scene_.machine_.OnFooterWaited()), "");
}

TEST(StreamMachineAcks, RefusesToEnableBeforeAPairIsVerified) {
  StreamScene scene(13);
  scene.UpToTls({});
  EXPECT_EQ(scene.In(kEnable), Failed("unexpected-request"));
  scene.In(Key());
  scene.Proof(proto::DIALBACK_VALID);
  EXPECT_EQ(scene.In(kEnable), "<enabled xmlns='urn:xmpp:sm:3'/>");
}

TEST(StreamMachineAcks, EndsForARequestWithoutEnable) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(kAsk), OurError("unsupported-stanza-type"));
}

TEST(AckCount, WrapsAtThirtyTwoBits) {
  constexpr std::uint64_t kNearEnd = 0xFFFFFFFE;
  EXPECT_EQ(NewlyAcknowledged(1, kNearEnd, 5), 3U);
  EXPECT_EQ(NewlyAcknowledged(0xFFFFFFFF, kNearEnd, 5), 1U);
  EXPECT_EQ(NewlyAcknowledged(4, kNearEnd, 5), std::nullopt);           // more than was sent
  EXPECT_EQ(NewlyAcknowledged(0xFFFFFFFD, kNearEnd, 5), std::nullopt);  // back
}

TEST(AckCount, ReadsNumbersOf32BitsOnly) {
  EXPECT_EQ(ParseHandled("4294967295"), 4294967295U);
  for (const char* text : {"", "-1", "4294967296", " 1", "1 ", "0x1"})
    EXPECT_EQ(ParseHandled(text), std::nullopt) << text;
}

TEST(HandledCount, FollowsAnyOrderOverManyStanzas) {
  HandledCount count;
  for (std::uint64_t round = 0; round < 3000; ++round) {
    const std::uint64_t first = count.Take();
    const std::uint64_t second = count.Take();
    count.Handle(second);
    EXPECT_EQ(count.handled(), 2 * round);
    count.Handle(first);
    EXPECT_EQ(count.handled(), count.taken());
  }
}

TEST_F(AckedStream, IsLeftAtOnceForThePeerSendsTheRestAgain) {
  EXPECT_EQ(
      scene_.Told(scene_.machine_.LeaveForShutdown()),
      AckXml(0) + StreamErrorXml(StreamCondition::kSystemShutdown) + "[close system-shutdown]");
}

}  // namespace
}  // namespace gatehouse
