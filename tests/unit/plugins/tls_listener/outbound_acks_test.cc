// Stanzas on streams with acknowledgements (2.13).
#include <gmock/gmock.h>

#include "plugins/tls_listener/unacknowledged.h"
#include "tests/fakes/fake_clock.h"
#include "tests/unit/plugins/tls_listener/outbound_pairs_scene.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kDelayed = "<delay xmlns='urn:xmpp:delay' from='corp.example' stamp='";

class OutboundAcksTest : public OutboundPairsTest {
 protected:
  OutboundAcksTest() { server_.acks = true; }
  [[nodiscard]] bool Arrived(std::size_t count) {
    return RunUntil(*loop_, [&] { return server_.stanzas.size() >= count; });
  }
  // These stanzas stand on the stream, and the peer has said that it has handled none of them.
  void SendUnacknowledged(const std::vector<std::string>& ids) {
    server_.withholds_acks = true;
    for (const std::string& id : ids) Send(id);
    ASSERT_TRUE(Arrived(ids.size()));
    ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.ack_requests > 0; }));
    EXPECT_THAT(outcomes_, IsEmpty());
  }
};

TEST_F(OutboundAcksTest, SettleWhatThePeerHasHandled) {
  for (const char* id : {"a", "b", "c"}) Send(id);
  ASSERT_TRUE(Settled(3));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(server_.ack_requests, 1);  // one for the batch
}

TEST_F(OutboundAcksTest, SettleNothingBefore) {
  SendUnacknowledged({"a", "b"});
  EXPECT_EQ(pairs_.queued(), 2U);
  server_.SendAll(AckXml(1));
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
}

TEST_F(OutboundAcksTest, AskedForByThePeerComeNoFasterThanItsStanzasMay) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  limits.set_stanza_burst(3);  // <enabled/> is the first
  pairs_.SetLimits(limits);
  Send("a");
  ASSERT_TRUE(Settled(1));
  const std::string ask(kAckRequestXml);
  server_.SendAll(ask + ask);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.acks_got.size() == 2; }));
  server_.SendAll(ask);
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_EQ(server_.acks_got.size(), 2U);
}

TEST_F(OutboundAcksTest, AFloodOfRequestsForThemEndsTheStream) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  pairs_.SetLimits(limits);
  Send("a");
  ASSERT_TRUE(Settled(1));
  std::string flood;
  for (int i = 0; i < 150; ++i) flood += kAckRequestXml;
  server_.SendAll(flood);
  EXPECT_TRUE(RunUntil(*loop_, [&] { return !server_.closings.empty(); }));
  EXPECT_THAT(server_.closings, Contains("policy-violation"));
}

TEST_F(OutboundAcksTest, AreNoFloodHoweverManyStanzasTheyAreFor) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  limits.set_stanza_burst(2);
  pairs_.SetLimits(limits);
  for (std::size_t count = 1; count <= 20; ++count) {
    Send(std::to_string(count));
    ASSERT_TRUE(Settled(count));
  }
  EXPECT_THAT(server_.closings, IsEmpty());
}

TEST_F(OutboundAcksTest, SendAgainInOrderWhatAStreamMayHaveLost) {
  SendUnacknowledged({"a", "b", "c"});
  server_.SendAll(AckXml(1));
  ASSERT_TRUE(Settled(1));
  server_.withholds_acks = false;
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(Settled(3));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(server_.stanzas, ElementsAre("a", "b", "c", "b", "c"));
  EXPECT_THAT(server_.bodies[1], Not(HasSubstr(std::string(kDelayed))));
  EXPECT_THAT(server_.bodies[3], HasSubstr("urn:xmpp:delay"));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(OutboundAcksTest, SendAgainOnce) {
  SendUnacknowledged({"a"});
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(Arrived(2));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.ack_requests > 1; }));
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_EQ(server_.stanzas.size(), 2U);
}

TEST_F(OutboundAcksTest, EndAStreamThatAcknowledgesTooMuch) {
  SendUnacknowledged({"a"});
  server_.withholds_acks = false;
  server_.SendAll(AckXml(9));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return !server_.closings.empty(); }));
  EXPECT_THAT(server_.closings, Contains("undefined-condition"));
}

TEST_F(OutboundAcksTest, SettleAsOnAnyStreamWhereThePeerRefuses) {
  server_.acks_answer = "<failed xmlns='urn:xmpp:sm:3'/>";
  server_.withholds_acks = true;
  Send("a");
  ASSERT_TRUE(Settled(1));
  Send("b");
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
}

TEST_F(OutboundAcksTest, DrainOnceAllIsAcknowledged) {
  SendUnacknowledged({"a"});
  bool drained = false;
  pairs_.Drain([&] { drained = true; });
  server_.SendAll(AckXml(1));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return drained; }));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
}

// --- the parts

class UnacknowledgedTest : public ::testing::Test {
 protected:
  void Add(int count) {
    for (int i = 0; i < count; ++i) {
      ipc::Ticket ticket([this](const ipc::Outcome&) { ++settled_; }, 0);
      unacknowledged_.Add({"<message/>", clock_.In(30s), std::move(ticket)}, nullptr, clock_.Now());
    }
  }
  static void Settle(std::vector<Unacknowledged::Sent> sent) {
    for (auto& each : sent) each.entry.ticket.Settle(ipc::Outcome::Delivered());
  }
  void TearDown() override { Settle(unacknowledged_.TakeAll()); }

  FakeClock clock_;
  int settled_ = 0;
  Unacknowledged unacknowledged_;
};

TEST_F(UnacknowledgedTest, AsksOnceForABatch) {
  Add(3);
  EXPECT_TRUE(unacknowledged_.AskNow(clock_.Now()));
  Add(4);
  EXPECT_FALSE(unacknowledged_.AskNow(clock_.Now()));
  Add(1);
  EXPECT_TRUE(unacknowledged_.AskNow(clock_.Now()));  // five since
}

TEST_F(UnacknowledgedTest, DoesNotAskInALoopAPeerThatIsSlow) {
  Add(2);
  ASSERT_TRUE(unacknowledged_.AskNow(clock_.Now()));
  Settle(*unacknowledged_.Acknowledge(1));
  EXPECT_FALSE(unacknowledged_.AskNow(clock_.Now()));
  clock_.Advance(10s);
  EXPECT_TRUE(unacknowledged_.AskNow(clock_.Now()));
  EXPECT_EQ(settled_, 1);
}

TEST_F(UnacknowledgedTest, IsOverdueAMinuteAfterTheFirstRequest) {
  Add(1);
  ASSERT_TRUE(unacknowledged_.AskNow(clock_.Now()));
  clock_.Advance(50s);
  Add(9);
  ASSERT_TRUE(unacknowledged_.AskNow(clock_.Now()));
  EXPECT_FALSE(unacknowledged_.IsOverdue(clock_.Now()));
  clock_.Advance(10s);
  EXPECT_TRUE(unacknowledged_.IsOverdue(clock_.Now()));
  Settle(*unacknowledged_.Acknowledge(0));
  EXPECT_FALSE(unacknowledged_.IsOverdue(clock_.Now()));
}

TEST_F(UnacknowledgedTest, HasRoomForAMebibyte) {
  while (unacknowledged_.HasRoom()) Add(1);
  EXPECT_GT(unacknowledged_.size(), 1000U);
  EXPECT_LT(unacknowledged_.size(), 5000U);
  Settle(*unacknowledged_.Acknowledge(1));
  EXPECT_TRUE(unacknowledged_.HasRoom());
}

proto::Element Stanza(std::string_view name, std::string_view type) {
  proto::Element stanza = MakeElement(name, ns::kServer);
  if (!type.empty()) SetAttribute(stanza, "type", type);
  return stanza;
}

TEST(StanzaReturn, DependsOnWhatTheSenderWaitsFor) {
  EXPECT_EQ(ReturnOf(Stanza("message", "chat")), StanzaReturn::kAgainDated);
  EXPECT_EQ(ReturnOf(Stanza("message", "error")), StanzaReturn::kAgain);
  EXPECT_EQ(ReturnOf(Stanza("presence", "")), StanzaReturn::kIfNewest);
  EXPECT_EQ(ReturnOf(Stanza("presence", "unavailable")), StanzaReturn::kIfNewest);
  EXPECT_EQ(ReturnOf(Stanza("presence", "subscribe")), StanzaReturn::kNever);
  EXPECT_EQ(ReturnOf(Stanza("iq", "get")), StanzaReturn::kNever);
  EXPECT_EQ(ReturnOf(Stanza("iq", "result")), StanzaReturn::kAgain);
}

TEST(WithDelay, StampsAMessageOnce) {
  const std::string stamped = WithDelay("<message><body>x</body></message>", "corp.example", 0);
  EXPECT_EQ(stamped,
            "<message><body>x</body><delay xmlns='urn:xmpp:delay' from='corp.example' "
            "stamp='1970-01-01T00:00:00Z'/></message>");
  EXPECT_EQ(WithDelay(stamped, "corp.example", 1), stamped);
  EXPECT_EQ(WithDelay("<message/>", "corp.example", 0), "<message/>");
}

}  // namespace
}  // namespace gatehouse
