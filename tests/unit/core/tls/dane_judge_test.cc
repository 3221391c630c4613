#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/tls/tls_pair.h"
#include "tests/unit/core/tls/tlsa_of.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

constexpr const char* kDomain = "partner.example";
constexpr const char* kTarget = "xmpp.hoster.example";
enum Usage : std::uint8_t { kPkixTa, kPkixEe, kDaneTa, kDaneEe };

class Dane : public testing::Test {
 protected:
  static CertificatePlan Named(const char* name) {
    CertificatePlan plan;
    plan.dns_names = {name};
    return plan;
  }
  static CertificatePlan Middle() {
    CertificatePlan plan;
    plan.is_authority = true;
    plan.key_usage = "keyCertSign";
    return plan;
  }
  // What a client of ours, whose anchors are `trust`, says of a server with `files`.
  DaneVerdict Judge(const TlsFiles& files, const std::vector<TlsaRecord>& records,
                    std::string_view anchors_pem = {}) {
    TlsPair pair(client_, MustContext(files), kDomain);
    pair.Handshake();
    EXPECT_TRUE(pair.both_done()) << pair.client.error << pair.server.error;
    const std::vector<TlsaRecord> usable = UsableTlsa(records);
    EXPECT_EQ(usable.size(), records.size());
    return pair.client.session->JudgeByDane({usable, anchors_pem, kDomain, kTarget});
  }

  CertificateMaker maker_;
  CertificateMaker stranger_;  // whose authority nobody here trusts
  std::shared_ptr<const TlsContext> client_ = MustContext(maker_.Issue(Named("us.example")));
};

// Who can be matched by each usage, in a chain of leaf, intermediate and a root that is not sent.
TEST_F(Dane, EveryUsageMatchesItsCertificateByEverySelectorAndMatchingType) {
  const TlsFiles trusted = maker_.IssueBelow(Middle(), Named(kDomain));
  const TlsFiles unknown = stranger_.IssueBelow(Middle(), Named(kDomain));
  for (std::uint8_t selector = 0; selector <= 1; ++selector)
    for (std::uint8_t matching = 0; matching <= 2; ++matching) {
      const auto of = [&](const std::string& file, std::uint8_t usage, int index = 0) {
        return std::vector{TlsaOf(file, usage, selector, matching, index)};
      };
      const auto matches = [&](const TlsFiles& files, const std::vector<TlsaRecord>& records) {
        return Judge(files, records).matched;
      };
      SCOPED_TRACE(TlsaText(of(trusted.chain_file, kDaneEe)[0]));
      EXPECT_TRUE(matches(unknown, of(unknown.chain_file, kDaneEe)));
      EXPECT_FALSE(matches(unknown, of(unknown.chain_file, kDaneEe, 1)));
      EXPECT_FALSE(matches(unknown, of(trusted.chain_file, kDaneEe)));

      EXPECT_TRUE(matches(unknown, of(unknown.chain_file, kDaneTa, 1)));
      EXPECT_FALSE(matches(unknown, of(unknown.chain_file, kDaneTa)));
      EXPECT_FALSE(matches(unknown, of(trusted.chain_file, kDaneTa, 1)));

      EXPECT_TRUE(matches(trusted, of(trusted.chain_file, kPkixEe)));
      EXPECT_FALSE(matches(trusted, of(trusted.chain_file, kPkixEe, 1)));
      EXPECT_FALSE(matches(trusted, of(unknown.chain_file, kPkixEe)));
      EXPECT_FALSE(matches(unknown, of(unknown.chain_file, kPkixEe)));

      EXPECT_TRUE(matches(trusted, of(trusted.chain_file, kPkixTa, 1)));
      EXPECT_TRUE(matches(trusted, of(maker_.trust(), kPkixTa)));
      EXPECT_FALSE(matches(trusted, of(trusted.chain_file, kPkixTa)));
      EXPECT_FALSE(matches(trusted, of(stranger_.trust(), kPkixTa)));
      EXPECT_FALSE(matches(unknown, of(unknown.chain_file, kPkixTa, 1)));
    }
}

TEST_F(Dane, ASelfSignedServerIsProvenByItsKeyAloneWhateverItsNameAndAge) {
  CertificatePlan plan = Named("elsewhere.example");
  plan.starts_in_days = -20;
  plan.ends_in_days = -10;
  plan.extended_key_usage = "codeSigning";
  const TlsFiles files = maker_.SelfSigned(plan);
  const DaneVerdict verdict = Judge(files, {TlsaOf(files.chain_file, kDaneEe, 1, 1)});
  EXPECT_TRUE(verdict.matched) << verdict.detail;
  EXPECT_EQ(verdict.not_after_unix, 0);
  EXPECT_THAT(verdict.detail, HasSubstr("3 1 1 "));
}

TEST_F(Dane, TheOtherUsagesWantTheNameOfTheDomainOrOfTheTarget) {
  for (const std::uint8_t usage : {kPkixTa, kPkixEe, kDaneTa}) {
    const int index = usage == kPkixEe ? 0 : 1;
    for (const char* name : {kDomain, kTarget, "*.hoster.example"}) {
      const TlsFiles files = maker_.IssueBelow(Middle(), Named(name));
      EXPECT_TRUE(Judge(files, {TlsaOf(files.chain_file, usage, 0, 1, index)}).matched)
          << int{usage} << name;
    }
    const TlsFiles files = maker_.IssueBelow(Middle(), Named("elsewhere.example"));
    const DaneVerdict verdict = Judge(files, {TlsaOf(files.chain_file, usage, 0, 1, index)});
    EXPECT_FALSE(verdict.matched) << int{usage};
    EXPECT_THAT(verdict.detail, HasSubstr("names neither domain nor target"));
  }
}

TEST_F(Dane, BelowAnAuthorityTheRulesForCertificatesHold) {
  CertificatePlan expired = Named(kDomain);
  expired.starts_in_days = -20;
  expired.ends_in_days = -10;
  CertificatePlan purpose = Named(kDomain);
  purpose.extended_key_usage = "codeSigning";
  for (const CertificatePlan& plan : {expired, purpose}) {
    const TlsFiles files = stranger_.IssueBelow(Middle(), plan);
    EXPECT_FALSE(Judge(files, {TlsaOf(files.chain_file, kDaneTa, 0, 1, 1)}).matched);
    EXPECT_TRUE(Judge(files, {TlsaOf(files.chain_file, kDaneEe, 0, 1)}).matched);
  }
}

// RFC 7671 §5.2.1: a digest says nothing of a certificate that is not there.
TEST_F(Dane, AnAuthorityThatIsNotSentHelpsWhereTheRecordHasAllOfIt) {
  const TlsFiles files = stranger_.IssueBelow(Middle(), Named(kDomain));
  EXPECT_TRUE(Judge(files, {TlsaOf(stranger_.trust(), kDaneTa, 0, 0)}).matched);
  EXPECT_FALSE(Judge(files, {TlsaOf(stranger_.trust(), kDaneTa, 0, 1)}).matched);
  EXPECT_FALSE(Judge(files, {TlsaOf(stranger_.trust(), kDaneTa, 1, 0)}).matched);
  EXPECT_FALSE(Judge(files, {TlsaOf(maker_.trust(), kDaneTa, 0, 0)}).matched);
}

TEST_F(Dane, OneMatchIsEnoughAndTheDetailTellsWhichOrWhyNone) {
  const TlsFiles files = stranger_.Issue(Named(kDomain));
  const TlsaRecord right = TlsaOf(files.chain_file, kDaneEe, 1, 1);
  TlsaRecord wrong = right;
  wrong.data[0] = static_cast<char>(wrong.data[0] ^ 1);
  EXPECT_TRUE(Judge(files, {wrong, right}).matched);
  const DaneVerdict none = Judge(files, {wrong, wrong, wrong, wrong, wrong});
  EXPECT_FALSE(none.matched);
  EXPECT_THAT(none.detail, HasSubstr(TlsaText(wrong) + ": the server's is another"));
  EXPECT_THAT(none.detail, testing::EndsWith("; …"));
}

TEST_F(Dane, TheEndOfTheChainIsTheEndOfTheProof) {
  CertificatePlan plan = Named(kDomain);
  plan.ends_in_days = 3;
  const TlsFiles files = stranger_.IssueBelow(Middle(), plan);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const DaneVerdict verdict = Judge(files, {TlsaOf(files.chain_file, kDaneTa, 0, 1, 1)});
  EXPECT_NEAR(static_cast<double>(verdict.not_after_unix), static_cast<double>(now + 3 * 86400),
              600);
}

TEST_F(Dane, PkixIsAskedOfThePartnersOwnAnchorsWhereItHasSome) {
  const TlsFiles files = stranger_.Issue(Named(kDomain));
  const std::vector<TlsaRecord> records = {TlsaOf(files.chain_file, kPkixEe, 1, 1)};
  std::ifstream file(stranger_.trust());
  const std::string anchors((std::istreambuf_iterator<char>(file)), {});
  EXPECT_FALSE(Judge(files, records).matched);
  EXPECT_TRUE(Judge(files, records, anchors).matched);
  EXPECT_FALSE(Judge(files, records, "no anchors").matched);
}

TEST_F(Dane, WithoutRecordsNothingMatches) {
  EXPECT_FALSE(Judge(maker_.Issue(Named(kDomain)), {}).matched);
}

}  // namespace
}  // namespace gatehouse
