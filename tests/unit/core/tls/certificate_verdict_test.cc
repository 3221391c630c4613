#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/tls/tls_pair.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CertificateVerdict : public testing::Test {
 protected:
  static CertificatePlan Good() {
    CertificatePlan plan;
    plan.dns_names = {"partner.example"};
    return plan;
  }
  // What a server of ours records about a client that shows `files`.
  PeerCertificate Judge(const TlsFiles& files) {
    TlsPair pair(MustContext(files), server_context_);
    pair.Handshake();
    EXPECT_TRUE(pair.both_done()) << pair.client.error << pair.server.error;
    return pair.server.session->peer();
  }
  PeerCertificate JudgePlan(const CertificatePlan& plan) { return Judge(maker_.Issue(plan)); }

  CertificateMaker maker_;
  std::shared_ptr<const TlsContext> server_context_ = MustContext(maker_.Issue(Good()));
};

TEST_F(CertificateVerdict, AcceptsAChainToOurAnchorAndNotesItsNames) {
  CertificatePlan plan = Good();
  plan.dns_names = {"partner.example", "*.partner.example"};
  plan.srv_names = {"_xmpp-server.partner.example"};
  plan.xmpp_addrs = {
      "b\xc3\xbc"
      "cher.example"};
  plan.uris = {"sip:partner.example"};
  const PeerCertificate peer = JudgePlan(plan);
  EXPECT_TRUE(peer.presented);
  EXPECT_TRUE(peer.chain_valid) << peer.chain_error;
  EXPECT_THAT(peer.dns_names, ElementsAre("partner.example", "*.partner.example"));
  EXPECT_THAT(peer.srv_names, ElementsAre("_xmpp-server.partner.example"));
  EXPECT_THAT(peer.xmpp_addrs, ElementsAre("b\xc3\xbc"
                                           "cher.example"));
  EXPECT_THAT(peer.uris, ElementsAre("sip:partner.example"));
  EXPECT_THAT(peer.common_name, IsEmpty());
  EXPECT_EQ(peer.sha256.size(), 64U);
}

TEST_F(CertificateVerdict, NotesTheEarliestEndOfTheChain) {
  CertificatePlan middle;
  middle.is_authority = true;
  middle.key_usage = "keyCertSign";
  middle.ends_in_days = 3;
  const PeerCertificate peer = Judge(maker_.IssueBelow(middle, Good()));
  EXPECT_TRUE(peer.chain_valid) << peer.chain_error;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  EXPECT_NEAR(static_cast<double>(peer.not_after_unix), static_cast<double>(now + 3 * 86400), 600);
}

TEST_F(CertificateVerdict, RecordsAMissingCertificateWithoutFailing) {
  const PeerCertificate peer = Judge({"", "", maker_.trust()});
  EXPECT_FALSE(peer.presented);
  EXPECT_FALSE(peer.chain_valid);
}

TEST_F(CertificateVerdict, RecordsStrangersAndWrongTimesWithoutFailing) {
  const CertificateMaker stranger;
  CertificatePlan expired = Good();
  expired.starts_in_days = -20;
  expired.ends_in_days = -10;
  CertificatePlan early = Good();
  early.starts_in_days = 5;
  EXPECT_THAT(JudgePlan(expired).chain_error, HasSubstr("expired"));
  EXPECT_THAT(JudgePlan(early).chain_error, HasSubstr("not yet valid"));
  TlsFiles self_signed = maker_.SelfSigned(Good());
  self_signed.trust = stranger.trust();
  const PeerCertificate peer = Judge(self_signed);
  EXPECT_TRUE(peer.presented);
  EXPECT_FALSE(peer.chain_valid);
  EXPECT_THAT(peer.chain_error, HasSubstr("issuer"));
  EXPECT_THAT(peer.dns_names, ElementsAre("partner.example"));
}

TEST_F(CertificateVerdict, RefusesAnIntermediateThatIsNoAuthority) {
  CertificatePlan middle;
  middle.is_authority = false;
  EXPECT_FALSE(Judge(maker_.IssueBelow(middle, Good())).chain_valid);
}

TEST_F(CertificateVerdict, ServerAuthAloneWillDoForAPeerThatConnects) {
  for (const char* usage : {"", "serverAuth", "clientAuth", "serverAuth,clientAuth",
                            "codeSigning,anyExtendedKeyUsage"}) {
    CertificatePlan plan = Good();
    plan.extended_key_usage = usage;
    EXPECT_TRUE(JudgePlan(plan).chain_valid) << usage;
  }
}

TEST_F(CertificateVerdict, RefusesOtherKeyPurposesForXmpp) {
  for (const char* usage : {"codeSigning", "emailProtection,OCSPSigning", "1.3.6.1.5.5.7.3.20"}) {
    CertificatePlan plan = Good();
    plan.extended_key_usage = usage;
    EXPECT_THAT(JudgePlan(plan).chain_error, HasSubstr("extended key usage")) << usage;
  }
}

TEST_F(CertificateVerdict, KeyUsageMustAllowSignatures) {
  CertificatePlan plan = Good();
  plan.key_usage = "";
  EXPECT_TRUE(JudgePlan(plan).chain_valid);
}

// BoringSSL ends the handshake itself: what such a key signs can prove nothing.
TEST_F(CertificateVerdict, AKeyOnAForeignCurveDoesNotGetThrough) {
  CertificatePlan plan = Good();
  plan.key = TestKey::kP521;
  TlsPair pair(MustContext(maker_.Issue(plan)), server_context_);
  pair.Handshake();
  EXPECT_EQ(pair.server.handshakes, 0);
  EXPECT_FALSE(pair.client.error.empty());
}

TEST_F(CertificateVerdict, TakesTheKeysOfTheListOnly) {
  for (const TestKey key : {TestKey::kP256, TestKey::kP384, TestKey::kEd25519, TestKey::kRsa2048}) {
    CertificatePlan plan = Good();
    plan.key = key;
    const PeerCertificate peer = JudgePlan(plan);
    EXPECT_TRUE(peer.chain_valid) << static_cast<int>(key) << peer.chain_error;
  }
  CertificatePlan weak = Good();
  weak.key = TestKey::kRsa1024;
  EXPECT_THAT(JudgePlan(weak).chain_error, HasSubstr("2048"));
}

TEST_F(CertificateVerdict, RefusesSha1Signatures) {
  CertificatePlan plan = Good();
  plan.sha1_signature = true;
  EXPECT_THAT(JudgePlan(plan).chain_error, HasSubstr("SHA-1"));
}

TEST_F(CertificateVerdict, LeavesOutNamesWithNulOrForeignOctets) {
  CertificatePlan plan = Good();
  plan.dns_names = {std::string("partner.example\0.evil.example", 29),
                    "b\xc3\xbc"
                    "cher.example",
                    "good.example"};
  plan.xmpp_addrs = {std::string("partner.example\0x", 17), "p\xffrtner.example",
                     "partner.example\xc3"};
  const PeerCertificate peer = JudgePlan(plan);
  EXPECT_THAT(peer.dns_names, ElementsAre("good.example"));
  EXPECT_THAT(peer.xmpp_addrs, IsEmpty());
}

TEST_F(CertificateVerdict, RefusesMoreNamesThanAnyAuthorityWouldSign) {
  CertificatePlan plan = Good();
  for (int i = 0; i < 999; ++i) plan.dns_names.push_back("d" + std::to_string(i) + ".example");
  const PeerCertificate many = JudgePlan(plan);
  EXPECT_TRUE(many.chain_valid) << many.chain_error;
  EXPECT_EQ(many.dns_names.size(), 1000U);
  plan.xmpp_addrs = {"partner.example"};
  const PeerCertificate more = JudgePlan(plan);
  EXPECT_THAT(more.chain_error, HasSubstr("too many names"));
  EXPECT_FALSE(MatchesXmppDomain(more, "partner.example"));
}

TEST_F(CertificateVerdict, LeavesOutNamesLongerThanADomainpart) {
  CertificatePlan plan = Good();
  plan.dns_names.emplace_back(1024, 'a');
  plan.xmpp_addrs = {std::string(1024, 'a'), "partner.example"};
  const PeerCertificate peer = JudgePlan(plan);
  EXPECT_THAT(peer.dns_names, ElementsAre("partner.example"));
  EXPECT_THAT(peer.xmpp_addrs, ElementsAre("partner.example"));
}

// RFC 5280 §4.2.1.10
TEST_F(CertificateVerdict, HoldsAnAuthorityToTheNamesItMayGive) {
  CertificatePlan middle;
  middle.is_authority = true;
  middle.key_usage = "keyCertSign";
  middle.name_constraints = "critical,permitted;DNS:partner.example";
  EXPECT_TRUE(Judge(maker_.IssueBelow(middle, Good())).chain_valid);
  CertificatePlan foreign;
  foreign.dns_names = {"victim.example"};
  EXPECT_THAT(Judge(maker_.IssueBelow(middle, foreign)).chain_error, HasSubstr("permitted"));
}

// The constraint is on dNSNames; otherNames must be no way around it.
TEST_F(CertificateVerdict, BelieveNoOtherNameOfAnAuthorityWithConstraints) {
  CertificatePlan middle;
  middle.is_authority = true;
  middle.key_usage = "keyCertSign";
  middle.name_constraints = "critical,permitted;DNS:partner.example";
  CertificatePlan leaf = Good();
  leaf.srv_names = {"_xmpp-server.victim.example"};
  leaf.xmpp_addrs = {"victim.example"};
  const PeerCertificate peer = Judge(maker_.IssueBelow(middle, leaf));
  EXPECT_FALSE(MatchesXmppDomain(peer, "victim.example"));
  EXPECT_TRUE(MatchesXmppDomain(peer, "partner.example"));
}

// A chain is built from what the peer sent; an intermediate it left out cannot be guessed.
TEST_F(CertificateVerdict, BuildsTheChainFromTheIntermediatesSent) {
  CertificatePlan middle;
  middle.is_authority = true;
  middle.key_usage = "keyCertSign";
  TlsFiles files = maker_.IssueBelow(middle, Good());
  EXPECT_TRUE(Judge(files).chain_valid);
  std::ifstream whole(files.chain_file);
  const std::string text{std::istreambuf_iterator<char>(whole), {}};
  const std::string end = "-----END CERTIFICATE-----\n";
  std::ofstream(files.chain_file) << text.substr(0, text.find(end) + end.size());
  EXPECT_FALSE(Judge(files).chain_valid);
}

TEST_F(CertificateVerdict, RefusesAnEmptyAlternativeName) {
  CertificatePlan plan;
  plan.empty_alternative_name = true;
  plan.common_name = "partner.example";
  const PeerCertificate peer = JudgePlan(plan);
  EXPECT_FALSE(peer.chain_valid);
  EXPECT_THAT(peer.common_name, IsEmpty());
}

TEST_F(CertificateVerdict, NotesTheCommonNameOnlyWithoutAnyAlternativeName) {
  CertificatePlan plan;
  plan.common_name = "pool.corp.example";
  EXPECT_EQ(JudgePlan(plan).common_name, "pool.corp.example");
  plan.ip_addresses = {"192.0.2.1"};
  EXPECT_THAT(JudgePlan(plan).common_name, IsEmpty());
}

TEST_F(CertificateVerdict, APinnedAnchorNeedNotBeARoot) {
  const TlsFiles client = maker_.SelfSigned(Good());
  TlsFiles server = maker_.Issue(Good());
  server.trust = client.chain_file;
  TlsPair pair(MustContext(client), MustContext(server));
  pair.Handshake();
  EXPECT_TRUE(pair.server.session->peer().chain_valid) << pair.server.session->peer().chain_error;
  // Another self-signed one of the same names is a stranger.
  TlsPair other(MustContext(maker_.SelfSigned(Good())), MustContext(server));
  other.Handshake();
  EXPECT_FALSE(other.server.session->peer().chain_valid);
}

}  // namespace
}  // namespace gatehouse
