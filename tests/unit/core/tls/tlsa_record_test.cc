#include "core/tls/tlsa_record.h"

#include <gmock/gmock.h>

#include "tests/unit/core/tls/tlsa_of.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kDigest256(32, 'd');
const std::string kDigest512(64, 'e');

class TlsaRecords : public testing::Test {
 protected:
  static std::vector<TlsaRecord> One(TlsaRecord record) { return UsableTlsa({std::move(record)}); }
  CertificateMaker maker_;
};

TEST_F(TlsaRecords, EveryUsageAndSelectorWithEveryMatchingTypeIsUsable) {
  const TlsFiles files = maker_.Issue({});
  for (std::uint8_t usage = 0; usage <= 3; ++usage)
    for (std::uint8_t selector = 0; selector <= 1; ++selector)
      for (std::uint8_t matching = 0; matching <= 2; ++matching) {
        const TlsaRecord record = TlsaOf(files.chain_file, usage, selector, matching);
        EXPECT_THAT(One(record), ElementsAre(record)) << TlsaText(record);
      }
}

TEST_F(TlsaRecords, UnknownNumbersAreNot) {
  EXPECT_THAT(One({4, 1, 1, kDigest256}), IsEmpty());
  EXPECT_THAT(One({3, 2, 1, kDigest256}), IsEmpty());
  EXPECT_THAT(One({3, 1, 3, kDigest256}), IsEmpty());
  EXPECT_THAT(One({255, 255, 255, kDigest256}), IsEmpty());
}

TEST_F(TlsaRecords, DigestsOfAnotherLengthAreNot) {
  EXPECT_THAT(One({3, 1, 1, ""}), IsEmpty());
  EXPECT_THAT(One({3, 1, 1, kDigest256.substr(1)}), IsEmpty());
  EXPECT_THAT(One({3, 1, 1, kDigest256 + "d"}), IsEmpty());
  EXPECT_THAT(One({3, 1, 1, kDigest512}), IsEmpty());
  EXPECT_THAT(One({3, 1, 2, kDigest256}), IsEmpty());
}

TEST_F(TlsaRecords, CertificatesAndKeysThatCannotBeReadAreNot) {
  const TlsFiles files = maker_.Issue({});
  for (std::uint8_t selector = 0; selector <= 1; ++selector) {
    TlsaRecord record = TlsaOf(files.chain_file, 3, selector, TlsaRecord::kFull);
    const std::string whole = record.data;
    for (const std::string& wrong : {std::string(), whole.substr(0, whole.size() - 1), whole + "x",
                                     std::string("no certificate")}) {
      record.data = wrong;
      EXPECT_THAT(One(record), IsEmpty()) << wrong.size();
    }
  }
  TlsaRecord crossed = TlsaOf(files.chain_file, 3, TlsaRecord::kCertificate, TlsaRecord::kFull);
  crossed.selector = TlsaRecord::kPublicKey;
  EXPECT_THAT(One(crossed), IsEmpty());
}

// RFC 7671 §9
TEST_F(TlsaRecords, OfTheDigestsOfOneKindOnlyTheStrongestCount) {
  const TlsaRecord weak{3, 1, 1, kDigest256};
  const TlsaRecord strong{3, 1, 2, kDigest512};
  const TlsaRecord other_usage{2, 1, 1, kDigest256};
  const TlsaRecord other_selector{3, 0, 1, kDigest256};
  const TlsaRecord full = TlsaOf(maker_.Issue({}).chain_file, 3, 1, TlsaRecord::kFull);
  EXPECT_THAT(UsableTlsa({weak, strong, other_usage, full, other_selector}),
              ElementsAre(strong, other_usage, full, other_selector));
  // A stronger one that cannot be used displaces nothing.
  EXPECT_THAT(UsableTlsa({weak, {3, 1, 2, "short"}}), ElementsAre(weak));
}

TEST_F(TlsaRecords, AreWrittenAsInAZoneFile) {
  EXPECT_EQ(TlsaText({3, 1, 1, "\x01\xab"}), "3 1 1 01ab");
  EXPECT_EQ(TlsaText({2, 0, 1, kDigest256}), "2 0 1 6464646464646464…");
}

}  // namespace
}  // namespace gatehouse
