// Streams that carry the stanzas of both ends (2.14), as the outbound half uses them.
#include <gmock/gmock.h>

#include "plugins/tls_listener/outbound_stream.h"
#include "tests/unit/plugins/tls_listener/outbound_pairs_scene.h"

namespace gatehouse {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kTheirMessage =
    "<message from='bob@partner.example/x' to='ann@corp.example' id='t'><body>Hi</body></message>";

// --- stanzas of the peer's on our streams

class TheirStanzasTest : public OutboundPairsTest {
 protected:
  TheirStanzasTest() {
    SetUpTls();
    server_.bidi = server_.external = true;
    partner_.set_bidi(true);
    SetRow(proto::REQUIRED, proto::REQUIRED, false);
  }
  void Open() {
    Send("a");
    ASSERT_TRUE(Settled(1));
  }
  [[nodiscard]] bool Came(std::size_t count) {
    return RunUntil(*loop_, [&] { return translator_.offers.size() >= count; });
  }
  [[nodiscard]] bool Ended(const char* condition) {
    return RunUntil(*loop_, [&] {
      return std::ranges::find(server_.closings, condition) != server_.closings.end();
    });
  }
};

TEST_F(TheirStanzasTest, GoToTheTranslatorWithThePairTheStreamProved) {
  Open();
  EXPECT_EQ(server_.bidi_requests, 1);
  server_.SendAll(kTheirMessage);
  ASSERT_TRUE(Came(1));
  proto::InboundStanza body;
  ASSERT_TRUE(body.ParseFromString(translator_.offers[0].body));
  EXPECT_EQ(body.from_domain(), kTheirs);
  EXPECT_EQ(body.to_domain(), kOurs);
  EXPECT_EQ(body.method(), proto::SASL_TLS);
  EXPECT_EQ(body.stream_id(), "id3");
  EXPECT_EQ(Attribute(body.stanza(), "id"), "t");
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(TheirStanzasTest, AreNotAskedForWhereThePartnerIsNotSwitchedOn) {
  partner_.set_bidi(false);
  Publish();
  Open();
  EXPECT_EQ(server_.bidi_requests, 0);
}

TEST_F(TheirStanzasTest, AreNotAskedForByATest) {
  EXPECT_TRUE(Test().ok());
  EXPECT_EQ(server_.bidi_requests, 0);
}

TEST_F(TheirStanzasTest, AreAcknowledgedOnceTheyAreSettled) {
  server_.acks = true;
  Open();
  server_.SendAll(std::string(kTheirMessage) + std::string(kAckRequestXml));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.acks_got.size() == 1; }));
  EXPECT_EQ(server_.acks_got[0], "0");
  translator_.SettleFirst(ipc::Outcome::Delivered());
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.acks_got.size() == 2; }));
  EXPECT_EQ(server_.acks_got[1], "1");
}

TEST_F(TheirStanzasTest, WaitWhereTheTranslatorHasNoRoom) {
  Open();
  for (int i = 0; i < 4; ++i) server_.SendAll(kTheirMessage);  // what one pair may hold
  ASSERT_TRUE(Came(4));
  server_.SendAll(kTheirMessage);
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_EQ(translator_.offers.size(), 4U);
  translator_.SettleFirst(ipc::Outcome::Delivered());
  ASSERT_TRUE(Came(4));
}

TEST_F(TheirStanzasTest, ThatFloodEndTheStream) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  pairs_.SetLimits(limits);
  Open();
  std::string flood;
  for (int i = 0; i < 150; ++i) flood += kTheirMessage;
  server_.SendAll(flood);
  EXPECT_TRUE(Ended("policy-violation"));
}

TEST_F(TheirStanzasTest, OfAnotherSenderEndTheStream) {
  Open();
  server_.SendAll("<message from='eve@other.example' to='ann@corp.example'/>");
  EXPECT_TRUE(Ended("invalid-from"));
  EXPECT_THAT(translator_.offers, IsEmpty());
}

TEST_F(TheirStanzasTest, EndWithTheSetting) {
  Open();
  partner_.set_bidi(false);
  Publish();
  EXPECT_TRUE(Ended("reset"));
}

TEST_F(TheirStanzasTest, GetAnErrorOfOursWhereNobodyAnsweredForThem) {
  Open();
  server_.SendAll(kTheirMessage);
  ASSERT_TRUE(Came(1));
  translator_.SettleFirst(ipc::Outcome::Expired());
  EXPECT_THAT(own_, ElementsAre(HasSubstr("remote-server-timeout")));
}

// --- streams that are lent

class FakeLentStream final : public LentStream {
 public:
  void Write(std::string_view xml) override { written.emplace_back(xml); }
  void WhenWritten(std::function<void()> done) override { flushes.push_back(std::move(done)); }
  [[nodiscard]] std::size_t unwritten_bytes() const override { return held; }
  [[nodiscard]] bool counts_ours() const override { return acks; }
  void EndWith(StreamCondition condition) override {
    ends.emplace_back(StreamConditionName(condition));
    if (on_end) on_end();
  }
  void Flush() {
    for (const auto& done : std::exchange(flushes, {})) done();
  }

  std::vector<std::string> written, ends;
  std::vector<std::function<void()>> flushes;
  std::function<void()> on_end;
  std::size_t held = 0;
  bool acks = false;
};

class LentStreamTest : public OutboundPairsTest {
 protected:
  LoanId Lend(FakeLentStream& lent, LoanId so_far = {}, const std::string& local = kOurs) {
    const LoanId loan = pairs_.Lend(lent, so_far, local, kTheirs);
    lent.on_end = [this, loan] { pairs_.EndLoan(loan); };
    return loan;
  }
  [[nodiscard]] bool Arrived() {
    return RunUntil(*loop_, [&] { return !server_.stanzas.empty(); });
  }
  FakeLentStream lent_;
};

TEST_F(LentStreamTest, CarriesWhatWeHaveForThePeer) {
  Lend(lent_);
  Send("a");
  EXPECT_THAT(lent_.written, ElementsAre(HasSubstr("id='a'")));
  EXPECT_THAT(outcomes_, IsEmpty());
  ASSERT_TRUE(RunUntil(*loop_, [&] { return !lent_.flushes.empty(); }));
  lent_.Flush();
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(server_.connections(), 0U);
  EXPECT_EQ(pairs_.streams(), 0U);  // none of ours
  EXPECT_EQ(pairs_.StreamsOf("p1"), 0U);
}

TEST_F(LentStreamTest, CarriesNothingOfADomainItWasNotLentFor) {
  Lend(lent_);
  Send("a", kAlsoOurs);
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(lent_.written, IsEmpty());
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(LentStreamTest, CarriesEachPairItIsLentForUnderOneLoan) {
  const LoanId loan = Lend(lent_);
  EXPECT_EQ(Lend(lent_, loan, kAlsoOurs), loan);
  Send("a", kAlsoOurs);
  EXPECT_EQ(lent_.written.size(), 1U);
}

TEST_F(LentStreamTest, TakesOverWhatWaitsForAStreamOfOurs) {
  server_.silent = true;
  Send("a");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.connections() == 1; }));
  Lend(lent_);
  EXPECT_THAT(lent_.written, ElementsAre(HasSubstr("id='a'")));
}

// RFC 6120 §10.1: two streams at a time would mix up the order.
TEST_F(LentStreamTest, IsLeftAloneWhileThePairHasAStreamOfItsOwn) {
  Send("a");
  ASSERT_TRUE(Settled(1));
  Lend(lent_);
  Send("b");
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(lent_.written, IsEmpty());
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return pairs_.streams() == 0; }));
  Send("c");
  EXPECT_THAT(lent_.written, ElementsAre(HasSubstr("id='c'")));
}

TEST_F(LentStreamTest, GivesWayToAStreamOfOursWhenItEnds) {
  const LoanId loan = Lend(lent_);
  pairs_.EndLoan(loan);
  Send("a");
  ASSERT_TRUE(Arrived());
  EXPECT_THAT(server_.stanzas, ElementsAre("a"));
  EXPECT_THAT(lent_.written, IsEmpty());
}

TEST_F(LentStreamTest, SendsAgainWhatItsPeerDidNotAcknowledge) {
  lent_.acks = true;
  const LoanId loan = Lend(lent_);
  Send("a");
  Send("b");
  EXPECT_TRUE(pairs_.HasUnsent(loan));
  EXPECT_EQ(pairs_.OnAcknowledged(loan, 1), std::nullopt);
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  pairs_.EndLoan(loan);
  ASSERT_TRUE(Arrived());
  EXPECT_THAT(server_.stanzas, ElementsAre("b"));
}

TEST_F(LentStreamTest, AsksItsPeerForAcknowledgements) {
  lent_.acks = true;
  Lend(lent_);
  Send("a");
  EXPECT_TRUE(RunUntil(*loop_, [&] { return lent_.written.size() == 2; }));
  EXPECT_THAT(lent_.written, Contains(std::string(kAckRequestXml)));
}

TEST_F(LentStreamTest, TellsOfAnAcknowledgementOfTooMuch) {
  lent_.acks = true;
  const LoanId loan = Lend(lent_);
  Send("a");
  EXPECT_EQ(pairs_.OnAcknowledged(loan, 2), 1U);
  EXPECT_THAT(Delivered(), IsEmpty());
}

TEST_F(LentStreamTest, IsWaitedForWhileItsPeerDoesNotRead) {
  const LoanId loan = Lend(lent_);
  lent_.held = OutboundStream::kMaxUnsentBytes;
  Send("a");
  EXPECT_THAT(lent_.written, IsEmpty());
  lent_.held = 0;
  pairs_.OnWritable(loan);
  EXPECT_EQ(lent_.written.size(), 1U);
}

}  // namespace
}  // namespace gatehouse
