#include <gmock/gmock.h>

#include "tests/unit/core/tls/tlsa_of.h"
#include "tests/unit/plugins/tls_listener/outbound_pairs_scene.h"

namespace gatehouse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The partner's zone is signed; the row permits nothing but EXTERNAL.
class OutboundDaneTest : public OutboundPairsTest {
 protected:
  OutboundDaneTest() {
    dns_.signed_zone = true;
    SetRow(proto::REQUIRED, proto::REQUIRED, false);
    server_.external = true;
  }
  void Dane(proto::Dane dane) {
    partner_.set_dane(dane);
    Publish();
  }
  // The partner's server shows `files`; ours has what its CA issued.
  void ServerShows(const TlsFiles& files) {
    SetUpTls();
    server_.tls = TlsContext::Create(files).value();
  }
  // The same, and both ends resume sessions.
  void ServerResumes(const TlsFiles& files) {
    const TlsContext::Options resuming{.resume_sessions = true};
    const auto ours = TlsContext::Create(maker_.Issue(PlanFor(kOurs)), resuming).value();
    pairs_.SetTls({.starttls = ours, .direct = ours, .shows_certificate = true});
    server_.tls = TlsContext::Create(files, resuming).value();
  }
  [[nodiscard]] std::string Name() const {
    return "_" + std::to_string(server_.port()) + "._tcp.xmpp.partner.example";
  }
  void PublishTlsa(TlsaRecord record) { dns_.tlsa[Name()] = {std::move(record)}; }
  [[nodiscard]] static TlsaRecord KeyOf(const TlsFiles& files) {
    return TlsaOf(files.chain_file, TlsaRecord::kDaneEe, TlsaRecord::kPublicKey,
                  TlsaRecord::kSha256);
  }
  [[nodiscard]] double Counted(const std::string& mode, const std::string& result) {
    return metrics_.Value("gatehouse_dane_total",
                          "{mode=\"" + mode + "\",result=\"" + result + "\"}");
  }
  // The detail of the last step of that name.
  static std::string StepOf(const proto::TestReport& report, std::string_view name) {
    std::string detail;
    for (const proto::TestStep& step : report.steps())
      if (step.step() == name) detail = (step.ok() ? "ok: " : "not ok: ") + step.detail();
    return detail;
  }

  const TlsaRecord wrong_{3, 1, 1, std::string(32, 'w')};
};

TEST_F(OutboundDaneTest, ASelfSignedServerIsProvenByItsKeyInTheZone) {
  const TlsFiles files = maker_.SelfSigned(PlanFor("elsewhere.example"));
  ServerShows(files);
  PublishTlsa(KeyOf(files));
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(Counted("enforce", "matched"), 1);
  ASSERT_EQ(records_.size(), 1U);
  EXPECT_EQ(records_[0].method(), "sasl_tls");
}

TEST_F(OutboundDaneTest, AReportProvesNobody) {
  const TlsFiles files = maker_.SelfSigned(PlanFor(kTheirs));
  ServerShows(files);
  PublishTlsa(KeyOf(files));
  Dane(proto::REPORT);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(Counted("report", "matched"), 1);
}

TEST_F(OutboundDaneTest, ACertificateThatTheZoneDoesNotKnowIsRefusedWhateverItsAuthority) {
  SetUpTls();
  PublishTlsa(wrong_);
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_THAT(outcomes_[0].second.text, HasSubstr("matches no TLSA record: 3 1 1 7777"));
  EXPECT_EQ(Counted("enforce", "mismatched"), 1);
  EXPECT_THAT(server_.stanzas, IsEmpty());
}

// Dialback would let an impostor in whom the zone has just unmasked.
TEST_F(OutboundDaneTest, DialbackDoesNotStandInForAMismatch) {
  SetRow(proto::REQUIRED, proto::OPTIONAL, true);
  SetUpTls();
  PublishTlsa(wrong_);
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_THAT(server_.results, IsEmpty());
}

TEST_F(OutboundDaneTest, AMismatchIsReportedAndPkixDecides) {
  SetUpTls();
  PublishTlsa(wrong_);
  Dane(proto::REPORT);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(Counted("report", "mismatched"), 1);
  const proto::TestReport report = Test();
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(StepOf(report, "dane"), HasSubstr("not ok: 3 1 1 7777"));
  EXPECT_THAT(StepOf(report, "dane"), HasSubstr("reported only"));
}

TEST_F(OutboundDaneTest, AfterAMismatchTheNextTargetIsTried) {
  const TlsFiles files = maker_.SelfSigned(PlanFor(kTheirs));
  ServerShows(files);
  dns_.addresses["second.partner.example"] = {"127.0.0.1"};
  dns_.srv["_xmpp-server._tcp.partner.example"].push_back(
      {1, 0, server_.port(), "second.partner.example"});
  PublishTlsa(wrong_);
  dns_.tlsa["_" + std::to_string(server_.port()) + "._tcp.second.partner.example"] = {KeyOf(files)};
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(server_.connections(), 2U);
}

// The chain of a resumed session is of another day: it is no reason to refuse the server's own.
TEST_F(OutboundDaneTest, AResumedChainThatMatchesNoMoreIsAskedForAnew) {
  const TlsFiles files = maker_.Issue(PlanFor(kTheirs));
  ServerResumes(files);
  PublishTlsa(KeyOf(files));
  Dane(proto::ENFORCE);
  EXPECT_TRUE(Test().ok());
  const proto::TestReport resumed = Test();
  EXPECT_TRUE(resumed.ok());
  EXPECT_THAT(StepOf(resumed, "tls"), HasSubstr("resumed"));
  EXPECT_EQ(server_.connections(), 2U);
  PublishTlsa(wrong_);
  const proto::TestReport refused = Test();
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(StepOf(refused, "tls"), Not(HasSubstr("resumed")));
  EXPECT_EQ(server_.connections(), 4U);
}

TEST_F(OutboundDaneTest, AMismatchThatIsOnlyReportedCostsNoConnection) {
  ServerResumes(maker_.Issue(PlanFor(kTheirs)));
  PublishTlsa(wrong_);
  Dane(proto::REPORT);
  for (std::size_t streams = 1; streams <= 3; ++streams) {
    EXPECT_TRUE(Test().ok());
    EXPECT_EQ(server_.connections(), streams);
  }
}

// RFC 7673 §3.4
TEST_F(OutboundDaneTest, ATargetWhoseLookupFailsIsNotConnectedTo) {
  SetUpTls();
  dns_.broken.insert(Name());
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), IsEmpty());
  EXPECT_EQ(outcomes_[0].second.condition,
            static_cast<std::uint32_t>(proto::REMOTE_SERVER_TIMEOUT));
  EXPECT_EQ(server_.connections(), 0U);
  EXPECT_EQ(Counted("enforce", "lookup-failed"), 1);
}

TEST_F(OutboundDaneTest, AFailedLookupIsReportedAndNoMore) {
  SetUpTls();
  dns_.broken.insert(Name());
  Dane(proto::REPORT);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(Counted("report", "lookup-failed"), 1);
}

TEST_F(OutboundDaneTest, AnUnsignedZoneIsNotAskedForTlsa) {
  SetUpTls();
  dns_.signed_zone = false;
  dns_.broken.insert(Name());
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  EXPECT_THAT(Delivered(), ElementsAre("a"));
  EXPECT_EQ(Counted("enforce", "insecure"), 1);
}

TEST_F(OutboundDaneTest, ThatNothingCouldBeEnforcedIsSaidOfADomainWithoutSrvRecordsToo) {
  SetUpTls();
  dns_.srv.clear();
  dns_.addresses[kTheirs] = {"127.0.0.1"};
  Dane(proto::ENFORCE);
  EXPECT_EQ(StepOf(Test(), "dane"), "ok: insecure: no SRV record names partner.example");
  Dane(proto::REPORT);
  EXPECT_EQ(StepOf(Test(), "dane"), "");
}

TEST_F(OutboundDaneTest, WithNoUsableRecordPkixDecides) {
  SetUpTls();
  PublishTlsa({3, 1, 1, "short"});
  Dane(proto::ENFORCE);
  EXPECT_TRUE(Test().ok());
  dns_.tlsa.clear();
  const proto::TestReport report = Test();
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(StepOf(report, "dane"), HasSubstr("ok: no-records: " + Name()));
}

// RFC 7673 §4.1: only a validated SRV record makes its target a name to look for.
TEST_F(OutboundDaneTest, TheCertificateMayNameTheTargetOfAValidatedRecordOnly) {
  SetUpTls("xmpp.partner.example");
  Dane(proto::ENFORCE);
  EXPECT_TRUE(Test().ok());
  Dane(proto::REPORT);
  EXPECT_FALSE(Test().ok());
  Dane(proto::ENFORCE);
  dns_.signed_zone = false;
  EXPECT_FALSE(Test().ok());
}

TEST_F(OutboundDaneTest, WithRecordsThereIsNoStreamInClear) {
  SetRow(proto::OPTIONAL, proto::NOT_SUPPORTED, true);
  Dane(proto::ENFORCE);
  EXPECT_TRUE(Test().ok());  // no records, no TLS there
  PublishTlsa(wrong_);
  server_.refuse_starttls = true;
  const std::size_t keys = server_.results.size();
  EXPECT_FALSE(Test().ok());
  EXPECT_EQ(server_.results.size(), keys);
  Dane(proto::REPORT);
  EXPECT_TRUE(Test().ok());
}

TEST_F(OutboundDaneTest, OffAsksNothing) {
  SetUpTls();
  PublishTlsa(wrong_);
  Dane(proto::OFF);
  const proto::TestReport report = Test();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(StepOf(report, "dane"), "");
}

TEST_F(OutboundDaneTest, AStreamEndsWhenItsProofDoesNotCountAnyMore) {
  const TlsFiles files = maker_.SelfSigned(PlanFor(kTheirs));
  ServerShows(files);
  PublishTlsa(KeyOf(files));
  Dane(proto::ENFORCE);
  Send("a");
  ASSERT_TRUE(Settled(1));
  ASSERT_THAT(Delivered(), ElementsAre("a"));
  Dane(proto::REPORT);
  ASSERT_TRUE(RunUntil(*loop_, [&] { return !server_.closings.empty(); }));
  EXPECT_EQ(server_.closings.front(), "reset");
}

TEST_F(OutboundDaneTest, TestStreamTellsTheRecordsAndWhatTheyMeant) {
  const TlsFiles files = maker_.SelfSigned(PlanFor(kTheirs));
  ServerShows(files);
  PublishTlsa(KeyOf(files));
  Dane(proto::ENFORCE);
  const proto::TestReport report = Test();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(StepOf(report, "dane"), "ok: " + TlsaText(KeyOf(files)) + " matches");
  PublishTlsa(wrong_);
  const proto::TestReport refused = Test();
  EXPECT_THAT(refused.reason(), HasSubstr("dane-mismatch: "));
  EXPECT_THAT(refused.remedy(), HasSubstr("which is wrong"));
}

}  // namespace
}  // namespace gatehouse
