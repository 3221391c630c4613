#include "plugins/tls_listener/stream_refusals.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/xmpp/element.h"

namespace gatehouse {
namespace {

class StreamRefusalsTest : public testing::Test {
 protected:
  StreamRefusalsTest() {
    proto::PolicySnapshot snapshot;
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_domain("partner.example");
    partner.add_additional_domains("more.example");
    partner.set_enabled(true);
    partner.set_sasl(proto::OPTIONAL);
    partner.set_dialback(true);
    refusals_.SetPolicy(std::make_shared<const PolicyView>(std::move(snapshot)));
  }
  proto::RefusalRecords Of(const std::string& partner) const {
    proto::Why why;
    why.set_partner(partner);
    return refusals_.Answer(why).refusals();
  }
  static StreamRefusal Inbound(std::string_view remote, Reason reason) {
    return {.local = "corp.example",
            .remote = remote,
            .address = "192.0.2.7",
            .reason = reason,
            .answer = "policy-violation"};
  }
  std::uint64_t now_ = 1000;
  StreamRefusals refusals_{[this] { return now_; }};
};

TEST_F(StreamRefusalsTest, AreKeptUnderTheirPartnerWithTheRowThatDecided) {
  refusals_.Note(Inbound("more.example", Reason::kMethodNotPermitted));
  const proto::RefusalRecords found = Of("partner.example");
  ASSERT_EQ(found.refusals_size(), 1);
  const proto::RefusalRecord& record = found.refusals(0);
  EXPECT_EQ(record.partner(), "partner.example");
  EXPECT_EQ(record.from(), "more.example");
  EXPECT_EQ(record.to(), "corp.example");
  EXPECT_EQ(record.kind(), "stream");
  EXPECT_EQ(record.direction(), "xmpp-to-sip");
  EXPECT_EQ(record.rule(), "row-7");
  EXPECT_EQ(record.reason(), "method-not-permitted");
  EXPECT_EQ(record.at_unix_ms(), 1000U);
}

TEST_F(StreamRefusalsTest, StandBesideTheStanzasThatAListenerAnswersItself) {
  proto::Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "from", "bob@more.example/home");
  SetAttribute(message, "to", "ann@corp.example");
  const proto::Element error = MakeErrorReply(message, proto::POLICY_VIOLATION);
  const NotedRefusal first = refusals_.NoteError("more.example", error, Reason::kTooLarge);
  EXPECT_TRUE(first.is_new);
  EXPECT_EQ(refusals_.NoteError("more.example", error, Reason::kTooLarge).id, first.id);
  const proto::RefusalRecords found = Of("partner.example");
  ASSERT_EQ(found.refusals_size(), 1);
  const proto::RefusalRecord& record = found.refusals(0);
  EXPECT_EQ(record.id(), first.id);
  EXPECT_EQ(record.from(), "bob@more.example");
  EXPECT_EQ(record.to(), "ann@corp.example");
  EXPECT_EQ(record.kind(), "message");
  EXPECT_EQ(record.reason(), "too-large");
  EXPECT_EQ(record.answer(), "policy-violation");
}

TEST_F(StreamRefusalsTest, OfOursGoTheOtherWay) {
  refusals_.Note({.direction = Direction::kSipToXmpp,
                  .local = "corp.example",
                  .remote = "partner.example",
                  .reason = Reason::kDnsTrouble,
                  .answer = "remote-server-timeout",
                  .proven = true});
  const proto::RefusalRecord record = Of("more.example").refusals(0);
  EXPECT_EQ(record.from(), "corp.example");
  EXPECT_EQ(record.to(), "partner.example");
  EXPECT_EQ(record.direction(), "sip-to-xmpp");
  EXPECT_EQ(record.rule(), "");
}

TEST_F(StreamRefusalsTest, ThatNamedNoDomainAreKnownByTheirAddress) {
  refusals_.Note(Inbound("", Reason::kAddressLimit));
  const proto::RefusalRecords all = refusals_.Answer({}).refusals();
  ASSERT_EQ(all.refusals_size(), 1);
  EXPECT_EQ(all.refusals(0).from(), "192.0.2.7");
}

TEST_F(StreamRefusalsTest, AreOneWhereAPeerTriesAgainAndAgain) {
  const NotedRefusal first = refusals_.Note(Inbound("stranger.example", Reason::kUnknownPartner));
  EXPECT_TRUE(first.is_new);
  for (int i = 0; i < 1000; ++i) {
    now_ += 1000;
    const NotedRefusal again = refusals_.Note(Inbound("stranger.example", Reason::kUnknownPartner));
    EXPECT_FALSE(again.is_new);
    EXPECT_EQ(again.id, first.id);
  }
  EXPECT_EQ(Of("stranger.example").refusals_size(), 1);
}

}  // namespace
}  // namespace gatehouse
