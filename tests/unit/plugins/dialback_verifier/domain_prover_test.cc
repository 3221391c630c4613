#include "plugins/dialback_verifier/domain_prover.h"

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/fakes/fake_dns.h"
#include "tests/fakes/fake_xmpp_server.h"
#include "tests/unit/core/loop/run_until.h"
#include "tests/unit/core/tls/tlsa_of.h"

namespace gatehouse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kOurs = "corp.example";
constexpr const char* kTheirs = "partner.example";

// Of the first certificate of a PEM file, as PeerCertificate's.
std::string LeafSha256(const std::string& file) {
  std::ifstream stream(file);
  std::string base64;
  for (std::string line; std::getline(stream, line) && !line.starts_with("-----END");)
    if (!line.starts_with("-----")) base64 += line;
  std::string der;
  EXPECT_TRUE(DecodeBase64(base64, der));
  return Hex(Sha256(der));
}

class DomainProverTest : public ::testing::Test {
 protected:
  DomainProverTest() {
    dns_.addresses["xmpp.partner.example"] = {"127.0.0.1"};
    dns_.srv["_xmpp-server._tcp.partner.example"] = {
        {0, 0, server_.port(), "xmpp.partner.example"}};
    prover_.SetDomains({kOurs});
    SetRow(proto::NOT_SUPPORTED, proto::NOT_SUPPORTED);
  }
  void SetRow(proto::Negotiation tls, proto::Negotiation sasl, bool dialback = true) {
    proto::PolicySnapshot snapshot;
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_id("p1");
    partner.set_domain(kTheirs);
    partner.set_enabled(true);
    partner.set_tls(tls);
    partner.set_sasl(sasl);
    partner.set_dialback(dialback);
    partner.set_same_certificate(same_certificate_);
    partner.set_dane(dane_);
    partner.set_trust_anchors(trust_anchors_);
    prover_.SetPolicy(std::make_shared<const PolicyView>(std::move(snapshot)));
  }
  void Ask(const std::string& id, const std::string& sender = kTheirs,
           const std::string& key = "the-key", const std::string& peer_sha256 = {}) {
    proto::ProveDomain question;
    question.set_sender_domain(sender);
    question.set_target_domain(kOurs);
    question.set_stream_id(id);
    question.set_key(key);
    question.set_peer_sha256(peer_sha256);
    prover_.Prove(question, [this](proto::DialbackVerdict verdict, const std::string&) {
      verdicts_.push_back(verdict);
    });
  }
  [[nodiscard]] bool Answered(std::size_t count) {
    return RunUntil(*loop_, [&] { return verdicts_.size() >= count; });
  }

  std::unique_ptr<Loop> loop_ = MakeLoop();
  Metrics metrics_;
  CertificateMaker maker_;
  FakeDns dns_{*loop_};
  FakeXmppServer server_{*loop_, kTheirs};
  DomainProver prover_{
      {.loop = *loop_, .metrics = metrics_, .dns = dns_, .guard = TargetGuard({}, true)}};
  // The server shows a certificate for `name` that nobody vouches for. Gives its SHA-256.
  std::string UseUntrustedTls(const std::string& name = kTheirs) {
    CertificatePlan plan;
    plan.dns_names = {name};
    const TlsFiles files = maker_.SelfSigned(plan);
    server_.tls = TlsContext::Create(files).value();
    const auto client =
        TlsContext::Create({.chain_file = {}, .key_file = {}, .trust = maker_.trust()});
    prover_.SetTls(*client, *client);
    SetRow(proto::REQUIRED, proto::NOT_SUPPORTED);
    return LeafSha256(files.chain_file);
  }
  std::vector<proto::DialbackVerdict> verdicts_;
  bool same_certificate_ = false;
  proto::Dane dane_ = proto::REPORT;
  std::string trust_anchors_;
};

// --- the same certificate (2.8.6)

TEST_F(DomainProverTest, BelievesAServerThatShowsThePeersOwnCertificate) {
  same_certificate_ = true;
  const std::string leaf = UseUntrustedTls();
  server_.verify_type = "invalid";  // if it were asked
  Ask("s1", kTheirs, "the-key", leaf);
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_VALID));
  EXPECT_THAT(server_.verifies, IsEmpty());
}

TEST_F(DomainProverTest, VerifiesTheKeyWhereTheCertificateIsAnother) {
  same_certificate_ = true;
  UseUntrustedTls();
  server_.verify_type = "invalid";
  Ask("s1", kTheirs, "the-key", std::string(64, 'a'));
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_INVALID));
}

TEST_F(DomainProverTest, VerifiesTheKeyWhereThePartnerIsNotSwitchedOn) {
  const std::string leaf = UseUntrustedTls();
  server_.verify_type = "invalid";
  Ask("s1", kTheirs, "the-key", leaf);
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_INVALID));
}

// --- TLSA records (3.5)

TEST_F(DomainProverTest, AsksOnlyAServerThatItsZoneKnowsByTheAnchorsOfThePartner) {
  UseUntrustedTls();
  CertificateMaker authority;  // the partner's own
  CertificatePlan plan;
  plan.dns_names = {kTheirs};
  const TlsFiles files = authority.Issue(plan);
  server_.tls = TlsContext::Create(files).value();
  std::ifstream anchors(authority.trust());
  trust_anchors_.assign(std::istreambuf_iterator<char>(anchors), {});
  dane_ = proto::ENFORCE;
  SetRow(proto::REQUIRED, proto::NOT_SUPPORTED);
  dns_.signed_zone = true;
  auto& records = dns_.tlsa["_" + std::to_string(server_.port()) + "._tcp.xmpp.partner.example"];
  records = {
      TlsaOf(files.chain_file, TlsaRecord::kPkixEe, TlsaRecord::kPublicKey, TlsaRecord::kSha256)};
  Ask("s1");
  ASSERT_TRUE(Answered(1));
  records = {{3, 1, 1, std::string(32, 'w')}};
  Ask("s2");
  ASSERT_TRUE(Answered(2));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_VALID, proto::DIALBACK_TIMEOUT));
  EXPECT_THAT(server_.verifies, ElementsAre("s1 the-key"));
}

TEST_F(DomainProverTest, AsksTheAuthoritativeServerAndClosesAfterTheAnswer) {
  Ask("s1");
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_VALID));
  EXPECT_THAT(server_.verifies, ElementsAre("s1 the-key"));
  EXPECT_TRUE(RunUntil(*loop_, [&] { return !server_.closings.empty(); }));
  EXPECT_THAT(server_.closings, ElementsAre("footer"));
}

TEST_F(DomainProverTest, BelievesAnInvalid) {
  server_.verify_type = "invalid";
  Ask("s1");
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_INVALID));
}

TEST_F(DomainProverTest, AsksInsideTlsWhereTheRowSaysSoWhateverTheCertificate) {
  UseUntrustedTls("other.example");
  Ask("s1");
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_VALID));
}

TEST_F(DomainProverTest, NeverAsksInClearWhereTheRowRequiresTls) {
  SetRow(proto::REQUIRED, proto::NOT_SUPPORTED);
  Ask("s1");
  ASSERT_TRUE(Answered(1));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_TIMEOUT));
  EXPECT_THAT(server_.verifies, IsEmpty());
}

TEST_F(DomainProverTest, AsksOneKeyOfAPairAtATime) {
  server_.verify_type = "";
  Ask("s1");
  Ask("s2");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.verifies.size() == 1; }));
  server_.SendAll("<db:verify from='partner.example' to='corp.example' id='s2' type='valid'/>");
  server_.SendAll("<db:verify from='partner.example' to='corp.example' id='s1' type='invalid'/>");
  ASSERT_TRUE(RunUntil(*loop_, [&] { return server_.verifies.size() == 2; }));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_INVALID));  // the answer of s2 came unasked
  server_.SendAll("<db:verify from='partner.example' to='corp.example' id='s2' type='valid'/>");
  ASSERT_TRUE(Answered(2));
  EXPECT_EQ(verdicts_[1], proto::DIALBACK_VALID);
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(DomainProverTest, TellsApartWhyThereIsNoAnswer) {
  dns_.srv["_xmpp-server._tcp.partner.example"] = {{0, 0, 1, "xmpp.partner.example"}};
  Ask("s1");
  ASSERT_TRUE(Answered(1));
  dns_.srv["_xmpp-server._tcp.partner.example"] = {{0, 0, 0, ""}};
  Ask("s2");
  ASSERT_TRUE(Answered(2));
  dns_.srv["_xmpp-server._tcp.partner.example"] = {{0, 0, server_.port(), "xmpp.partner.example"}};
  server_.stream_error = "host-unknown";
  Ask("s3");
  ASSERT_TRUE(Answered(3));
  server_.stream_error = "undefined-condition";
  Ask("s4");
  ASSERT_TRUE(Answered(4));
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_CONNECTION_FAILED, proto::DIALBACK_NOT_FOUND,
                                     proto::DIALBACK_NOT_FOUND, proto::DIALBACK_TIMEOUT));
}

TEST_F(DomainProverTest, AsksNobodyAboutStrangersOrImplausibleKeys) {
  Ask("s1", "stranger.example");
  Ask("s2", kTheirs, std::string(257, 'k'));
  Ask("s 3");
  SetRow(proto::REQUIRED, proto::REQUIRED, false);
  Ask("s4");
  EXPECT_THAT(verdicts_, ElementsAre(proto::DIALBACK_NOT_FOUND, proto::DIALBACK_INVALID,
                                     proto::DIALBACK_INVALID, proto::DIALBACK_NOT_FOUND));
  EXPECT_EQ(dns_.questions, 0);
}

}  // namespace
}  // namespace gatehouse
