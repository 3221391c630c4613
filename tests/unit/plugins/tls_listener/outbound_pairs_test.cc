#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/unit/plugins/tls_listener/outbound_pairs_scene.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(OutboundPairsTest, DeliverInOrderByDialbackInClear) {
  for (const char* id : {"a", "b", "c"}) Send(id);
  ASSERT_TRUE(Settled(3));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "c"));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.stanzas.size() == 3; }));
  EXPECT_THAT(server_.stanzas, ElementsAre("a", "b", "c"));
  EXPECT_THAT(server_.results, ElementsAre("corp.example key-id1"));
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(OutboundPairsTest, OpenNoStreamForWhatIsToGoOnAnOpenOneOnly) {
  Send("early", kOurs, true);
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition, proto::RECIPIENT_UNAVAILABLE);
  Send("opens");
  ASSERT_TRUE(Settled(2));
  Send("late", kOurs, true);
  Send("of another pair", kAlsoOurs, true);
  ASSERT_TRUE(Settled(4));
  EXPECT_THAT(Delivered(), ElementsAre("opens", "late"));
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(OutboundPairsTest, DeliverByExternalInsideTls) {
  SetUpTls();
  server_.external = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.stanzas.size() == 1; }));
  EXPECT_THAT(server_.results, IsEmpty());
}

TEST_F(OutboundPairsTest, DeliverByDialbackInsideTlsWithTheIdOfTheHeaderInForce) {
  SetUpTls();
  SetRow(proto::REQUIRED, proto::NOT_SUPPORTED, true);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_THAT(server_.results, ElementsAre("corp.example key-id2"));
}

TEST_F(OutboundPairsTest, DeliverOverDirectTls) {
  SetUpTls();
  server_.external = server_.direct_tls = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  dns_.srv.clear();
  dns_.srv["_xmpps-server._tcp.partner.example"] = {{0, 0, server_.port(), "xmpp.partner.example"}};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
}

TEST_F(OutboundPairsTest, NeverSendToAnImpostorUnderExternal) {
  SetUpTls("other.example");
  server_.external = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_THAT(outcomes_[0].second.text, HasSubstr("negotiation failed"));
  EXPECT_THAT(server_.stanzas, IsEmpty());
}

// 2.5: the partner's own anchors in place of ours.
TEST_F(OutboundPairsTest, JudgeAPartnerByItsOwnAnchorsWhereItHasSome) {
  const CertificateMaker others;
  SetUpTls();
  server_.external = true;
  std::ifstream anchors(others.trust());
  partner_.set_trust_anchors({std::istreambuf_iterator<char>(anchors), {}});
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(outcomes_[0].second.text, HasSubstr("negotiation failed"));
  EXPECT_THAT(server_.stanzas, IsEmpty());
}

TEST_F(OutboundPairsTest, AreResetWhenTheAnchorsOfTheirPartnerChange) {
  SetUpTls();
  server_.external = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Send("a");
  ASSERT_TRUE(Settled(1));
  Publish();
  EXPECT_EQ(pairs_.streams(), 1U);
  std::ifstream anchors(maker_.trust());
  partner_.set_trust_anchors({std::istreambuf_iterator<char>(anchors), {}});
  Publish();
  ASSERT_TRUE(RunUntil(*loop_, [&] { return !server_.closings.empty(); }));
  EXPECT_EQ(server_.closings.front(), "reset");
  Send("b");
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
}

// 3.7
TEST_F(OutboundPairsTest, FollowARedirectToAHostThatProvesTheSameDomain) {
  SetUpTls();
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  FakeXmppServer other(*loop_, kTheirs);
  other.tls = server_.tls;
  other.external = true;
  server_.other_host = "127.0.0.1:" + std::to_string(other.port());
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  ASSERT_TRUE(RunUntil(*loop_, [&] { return !other.stanzas.empty(); }));
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(OutboundPairsTest, FollowTwoRedirectsAndNoThird) {
  SetUpTls();
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  server_.other_host = "127.0.0.1:" + std::to_string(server_.port());
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(server_.connections(), 3U);
}

TEST_F(OutboundPairsTest, FollowNoRedirectOfAnImpostor) {
  SetUpTls("other.example");
  SetRow(proto::REQUIRED, proto::OPTIONAL, true);
  server_.other_host = "127.0.0.1:" + std::to_string(server_.port());
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(server_.connections(), 1U);
}

// RFC 8305: the address of the other family serves where the first does not.
TEST_F(OutboundPairsTest, ReachAPartnerWhoseFirstFamilyIsDead) {
  dns_.addresses["xmpp.partner.example"] = {"::1", "127.0.0.1"};  // listens on the latter only
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
}

// 3.1 no. 1
TEST_F(OutboundPairsTest, GoToTheProxyOfAPartnerWithoutAskingForSrvRecords) {
  dns_.srv.clear();
  dns_.addresses["proxy.example"] = {"127.0.0.1"};
  partner_.set_proxy("proxy.example:" + std::to_string(server_.port()));
  Publish();
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(dns_.questions, 1);
}

TEST_F(OutboundPairsTest, ReconnectInClearWhereTlsIsRefusedAndOptional) {
  SetUpTls();
  server_.refuse_starttls = true;
  SetRow(proto::OPTIONAL, proto::NOT_SUPPORTED, true);
  Send("a");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.connections() == 2; }));
  EXPECT_THAT(outcomes_, IsEmpty());
  // The second connection is offered TLS again and must not take it.
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
}

// What one target refuses says nothing of the next: that one is asked for TLS anew.
TEST_F(OutboundPairsTest, GoInClearToNoOtherTargetThanTheOneThatRefusedTls) {
  SetUpTls();
  FakeXmppServer second(*loop_, kTheirs);
  second.tls = server_.tls;
  dns_.addresses["second.partner.example"] = {"127.0.0.1"};
  dns_.srv["_xmpp-server._tcp.partner.example"].push_back(
      {1, 0, second.port(), "second.partner.example"});
  server_.refuse_starttls = true;
  server_.takes = 1;  // it is gone when we come back without TLS
  SetRow(proto::OPTIONAL, proto::NOT_SUPPORTED, true);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_TRUE(RunUntil(*loop_, [&] { return !second.stanzas.empty(); }));
  ASSERT_EQ(records_.size(), 1U);
  EXPECT_EQ(records_[0].method(), "tls_dialback");
}

TEST_F(OutboundPairsTest, ShareAStreamThatDialbackOpened) {
  Send("a");
  ASSERT_TRUE(Settled(1));
  Send("b", kAlsoOurs);
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
  EXPECT_EQ(server_.connections(), 1U);
  EXPECT_THAT(server_.results, ElementsAre("corp.example key-id1", "sub.corp.example key-id1"));
}

TEST_F(OutboundPairsTest, UnderExternalHaveAStreamEach) {
  SetUpTls();
  server_.external = true;
  SetRow(proto::REQUIRED, proto::OPTIONAL, true);
  Send("a");
  ASSERT_TRUE(Settled(1));
  Send("b", kAlsoOurs);
  ASSERT_TRUE(Settled(2));
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_THAT(server_.results, IsEmpty());
}

TEST_F(OutboundPairsTest, TellTheSenderAndBackOffWhenNobodyListens) {
  dns_.srv["_xmpp-server._tcp.partner.example"] = {{0, 0, 1, "xmpp.partner.example"}};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_EQ(outcomes_[0].second.retry_after, 0ms) << "it has had its attempt";
  const int asked = dns_.questions;
  while (outcomes_.size() < 2)
    Send("b");  // at once: no new attempt, unless the random wait was nil
  EXPECT_EQ(outcomes_[1].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_GT(outcomes_[1].second.retry_after, 0ms);
  EXPECT_EQ(dns_.questions, asked);
}

TEST_F(OutboundPairsTest, TellTheSenderThatTheDomainDoesNotExist) {
  dns_.srv.clear();
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_NOT_FOUND));
}

TEST_F(OutboundPairsTest, TakeTroubleWithDnsForNoFact) {
  dns_.broken.insert("_xmpp-server._tcp.partner.example");
  dns_.addresses[kTheirs] = {"127.0.0.1"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_EQ(server_.connections(), 0U);
  EXPECT_THAT(refused_, ElementsAre("corp.example to partner.example: dns-trouble, "
                                    "remote-server-timeout"));
}

TEST_F(OutboundPairsTest, GoOnToTheNextTarget) {
  dns_.srv["_xmpp-server._tcp.partner.example"] = {{0, 0, 1, "xmpp.partner.example"},
                                                   {1, 0, server_.port(), "xmpp.partner.example"}};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_TRUE(refused_.empty());
}

TEST_F(OutboundPairsTest, FailWhenTheirKeyIsRefused) {
  server_.result_type = "invalid";
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::INTERNAL_SERVER_ERROR));
  EXPECT_TRUE(RunUntil(*loop_, [&] { return pairs_.streams() == 0; }));
  EXPECT_THAT(server_.closings, ElementsAre("footer"));
  EXPECT_THAT(refused_, ElementsAre("corp.example to partner.example: our-key-refused, "
                                    "internal-server-error"));
}

TEST_F(OutboundPairsTest, FailWhenTheirHostIsUnknown) {
  server_.stream_error = "host-unknown";
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_NOT_FOUND));
  EXPECT_THAT(refused_, ElementsAre("corp.example to partner.example: refused-by-partner, "
                                    "remote-server-not-found"));
}

TEST_F(OutboundPairsTest, KnowNoDomainThatIsNoPartners) {
  partner_.set_domain("somebody.example");
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = partner_;
  pairs_.SetPolicy(std::make_shared<const PolicyView>(std::move(snapshot)));
  Send("a");
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_NOT_FOUND));
}

TEST_F(OutboundPairsTest, OpenANewStreamAfterAnOrderlyClose) {
  Send("a");
  ASSERT_TRUE(Settled(1));
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return pairs_.streams() == 0; }));
  Send("b");
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(OutboundPairsTest, AreResetWhenTheirMethodIsNoLongerPermitted) {
  SetUpTls();
  Send("a");
  ASSERT_TRUE(Settled(1));
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return !server_.closings.empty(); }));
  EXPECT_EQ(server_.closings.front(), "reset");
  EXPECT_TRUE(RunUntil(*loop_, [&] { return pairs_.streams() == 0; }));
}

TEST_F(OutboundPairsTest, BeginAnewWhenTheRowChangesBeforeTheirStreamIsOpen) {
  server_.silent = true;
  Send("a");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.connections() == 1; }));
  server_.silent = false;
  SetRow(proto::NOT_SUPPORTED, proto::OPTIONAL, true);
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(OutboundPairsTest, TellWhatTheirStreamsCameTo) {
  SetUpTls();
  server_.external = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Send("a");
  ASSERT_TRUE(Settled(1));
  ASSERT_EQ(records_.size(), 1U);
  EXPECT_EQ(records_[0].method(), "sasl_tls");
  EXPECT_EQ(records_[0].tls(), "TLSv1.3");
  EXPECT_EQ(records_[0].partner_id(), "p1");
  EXPECT_TRUE(records_[0].outbound());
  server_.external = false;
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return pairs_.streams() == 0; }));
  Send("b");
  ASSERT_TRUE(Settled(2));
  ASSERT_EQ(records_.size(), 2U);
  EXPECT_EQ(records_[1].method(), "");
  EXPECT_THAT(records_[1].why(), HasSubstr("EXTERNAL"));
}

// 3.4.1; the snapshot says what an earlier life of this process has seen.
TEST_F(OutboundPairsTest, DoNotGoClearWhereTheSnapshotKnowsOfTls) {
  partner_.set_tls_seen_unix(static_cast<std::uint64_t>(
      std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()));
  SetRow(proto::OPTIONAL, proto::OPTIONAL, true);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(outcomes_[0].second.text, HasSubstr("within the last 30 days"));
}

TEST_F(OutboundPairsTest, HoldAHundredStanzasWhileNoStreamIsOpen) {
  server_.silent = true;
  for (int i = 0; i < 101; ++i) Send(std::to_string(i));
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].first, "100");
  EXPECT_EQ(outcomes_[0].second.condition, static_cast<std::uint32_t>(proto::RESOURCE_CONSTRAINT));
  EXPECT_EQ(pairs_.queued(), 100U);  // settled by nobody: the next life gets them
}

TEST_F(OutboundPairsTest, KeepToTheConnectionLimitOfThePartner) {
  partner_.set_connection_limit(1);
  SetUpTls();
  server_.external = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Send("a");
  ASSERT_TRUE(Settled(1));
  Send("b", kAlsoOurs);
  ASSERT_TRUE(Settled(2));
  EXPECT_EQ(outcomes_[1].second.condition, static_cast<std::uint32_t>(proto::RESOURCE_CONSTRAINT));
  EXPECT_THAT(refused_,
              ElementsAre("sub.corp.example to partner.example: partner-connection-limit, "
                          "resource-constraint"));
}

TEST_F(OutboundPairsTest, DrainAfterSendingWhatTheyHold) {
  Send("a");
  bool drained = false;
  pairs_.Drain([&] { drained = true; });
  Send("late");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return drained; }));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_THAT(server_.stanzas, ElementsAre("a"));
  EXPECT_THAT(server_.closings, ElementsAre("footer"));
  EXPECT_EQ(pairs_.streams(), 0U);
}

TEST_F(OutboundPairsTest, AreForgottenAWhileAfterTheirStream) {
  Send("a");
  Send("b", kAlsoOurs);
  ASSERT_TRUE(Settled(2));
  TimePoint now = loop_->Now() + 10h;
  pairs_.ForgetUnused(now);
  EXPECT_EQ(pairs_.pairs(), 2U);
  server_.SendAll(kStreamFooter);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return pairs_.streams() == 0; }));
  pairs_.ForgetUnused(now += 30min - 1s);
  EXPECT_EQ(pairs_.pairs(), 2U);
  pairs_.ForgetUnused(now += 1s);
  EXPECT_EQ(pairs_.pairs(), 0U);
  Send("c");
  ASSERT_TRUE(Settled(3));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(pairs_.pairs(), 1U);
}

// Else a domain that does not answer would be asked for as often as anybody likes.
TEST_F(OutboundPairsTest, AreRememberedWhileTheyBackOffAndAsLongAfterIt) {
  dns_.srv.clear();  // no such domain: five minutes
  Send("a");
  ASSERT_TRUE(Settled(1));
  const TimePoint failed = loop_->Now();
  pairs_.ForgetUnused(failed + 4min);
  pairs_.ForgetUnused(failed + 34min - 1s);
  EXPECT_EQ(pairs_.pairs(), 1U);
  pairs_.ForgetUnused(failed + 34min);
  EXPECT_EQ(pairs_.pairs(), 0U);
}

TEST_F(OutboundPairsTest, AreNotForgottenWithStanzasThatWait) {
  server_.silent = true;
  Send("a");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.connections() == 1; }));
  pairs_.ForgetUnused(loop_->Now() + 10h);
  EXPECT_EQ(pairs_.pairs(), 1U);
  EXPECT_EQ(pairs_.queued(), 1U);
}

TEST_F(OutboundPairsTest, DropWhatAPeerSendsUnasked) {
  Send("a");
  ASSERT_TRUE(Settled(1));
  server_.SendAll(
      "<message from='x@partner.example' to='y@corp.example'/>"
      "<db:result from='partner.example' to='sub.corp.example' type='valid'/>");
  Send("b");
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(OutboundPairsTest, TellEachStepOfATest) {
  SetUpTls();
  server_.external = true;
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  const proto::TestReport report = Test();
  EXPECT_TRUE(report.ok()) << report.ShortDebugString();
  std::vector<std::string> steps;
  std::string all;
  for (const proto::TestStep& step : report.steps()) {
    steps.push_back(step.step());
    all += step.detail() + '\n';
  }
  EXPECT_THAT(steps, ElementsAre("dns", "dns", "dns", "dns", "dane", "tcp", "features", "tls",
                                 "certificate", "features", "sasl", "features", "result"));
  EXPECT_THAT(all, HasSubstr("SRV _xmpp-server._tcp.partner.example: 0 0 "));
  EXPECT_THAT(all, HasSubstr("A/AAAA xmpp.partner.example: 127.0.0.1"));
  EXPECT_THAT(all, HasSubstr("chain: \""));
  EXPECT_THAT(all, HasSubstr("mechanisms(EXTERNAL"));
  EXPECT_THAT(all, HasSubstr("open by sasl_tls, as row "));
}

TEST_F(OutboundPairsTest, TellWhyATestFailedAndWhatToDo) {
  dns_.srv["_xmpp-server._tcp.partner.example"] = {{0, 0, 1, "xmpp.partner.example"}};
  const proto::TestReport report = Test();
  EXPECT_FALSE(report.ok());
  EXPECT_THAT(report.reason(), HasSubstr("connect-failed"));
  EXPECT_FALSE(report.remedy().empty());
  EXPECT_THAT(Test("stranger.example").remedy(), HasSubstr("partner new"));
}

TEST_F(OutboundPairsTest, ATestBeforeTheFirstSnapshotSaysThatAndNotThatThereIsNoPartner) {
  pairs_.SetPolicy(nullptr);
  const proto::TestReport report = Test();
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.reason(), "no policy snapshot yet");
}

// --- a dialback error says what was lacking (3.6)

TEST_F(OutboundPairsTest, TriesOnceMoreWithTlsWhereAKeyInClearWasAgainstThePolicy) {
  SetUpTls();
  SetRow(proto::OPTIONAL, proto::NOT_SUPPORTED, true);
  server_.hide_starttls = true;
  server_.result_errors = {"policy-violation"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(server_.results.size(), 2U);
  ASSERT_FALSE(records_.empty());
  EXPECT_EQ(records_.back().method(), "tls_dialback");
}

TEST_F(OutboundPairsTest, DoesNotTryInClearAgainWhatNeedsTls) {
  SetRow(proto::OPTIONAL, proto::NOT_SUPPORTED, true);  // the peer has no TLS at all
  server_.result_errors = {"policy-violation"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(server_.results.size(), 1U);
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(OutboundPairsTest, DoesNotTryAgainWhereTheRowHasNothingElse) {
  server_.result_errors = {"policy-violation", "not-authorized"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(OutboundPairsTest, TriesOnceMoreWithACertificateOnlyWhereAKeyDoesNotAuthorize) {
  SetUpTls();
  SetRow(proto::REQUIRED, proto::OPTIONAL, true);  // the peer offers no EXTERNAL
  server_.result_errors = {"not-authorized"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_EQ(server_.results.size(), 1U) << "no second key";
}

TEST_F(OutboundPairsTest, TriesOnceOnANewConnectionWhereThePeerHadNoRoom) {
  server_.result_errors = {"resource-constraint"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(OutboundPairsTest, GivesUpAtTheSecondError) {
  server_.result_errors = {"resource-constraint", "resource-constraint", "resource-constraint"};
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(OutboundPairsTest, AFurtherPairTriesOnAStreamOfItsOwn) {
  Send("a");
  ASSERT_TRUE(Settled(1));
  server_.result_errors = {"resource-constraint"};
  Send("b", kAlsoOurs);
  ASSERT_TRUE(Settled(2));
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
  EXPECT_EQ(server_.connections(), 2U);
}

}  // namespace
}  // namespace gatehouse
