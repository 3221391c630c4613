#include "core/tls/tls_context.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/fakes/certificate_maker.h"

namespace gatehouse {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TlsContextFiles : public testing::Test {
 protected:
  std::string Failure(const TlsFiles& files) {
    const auto context = TlsContext::Create(files);
    EXPECT_FALSE(context);
    if (context) return {};
    EXPECT_EQ(context.error().fault, Fault::kConfig);
    EXPECT_THAT(context.error().text, Not(HasSubstr("\n")));
    return context.error().text;
  }
  std::string Garbage() {
    const std::string path = maker_.Path("garbage");
    std::ofstream(path) << "no certificate\n";
    return path;
  }

  CertificateMaker maker_;
  TlsFiles good_ = maker_.Issue({});
};

TEST_F(TlsContextFiles, AreLoaded) {
  EXPECT_TRUE(TlsContext::Create(good_));
  EXPECT_TRUE(TlsContext::Create({"", "", maker_.trust()}));
}

TEST_F(TlsContextFiles, ThatAreMissingAreNamed) {
  TlsFiles files = good_;
  files.chain_file = "/no/such.pem";
  EXPECT_THAT(Failure(files), AllOf(HasSubstr("/no/such.pem"), HasSubstr("No such file")));
  files = good_;
  files.key_file = "/no/such.key";
  EXPECT_THAT(Failure(files), AllOf(HasSubstr("/no/such.key"), HasSubstr("private key")));
  files = good_;
  files.trust = "/no/anchors.pem";
  EXPECT_THAT(Failure(files), AllOf(HasSubstr("/no/anchors.pem"), HasSubstr("trust")));
}

TEST_F(TlsContextFiles, ThatHoldSomethingElseAreNamed) {
  TlsFiles files = good_;
  files.chain_file = Garbage();
  EXPECT_THAT(Failure(files), AllOf(HasSubstr("garbage"), HasSubstr("certificate")));
  files = good_;
  files.key_file = Garbage();
  EXPECT_THAT(Failure(files), AllOf(HasSubstr("garbage"), HasSubstr("private key")));
  files = good_;
  files.trust = Garbage();
  EXPECT_THAT(Failure(files), AllOf(HasSubstr("garbage"), HasSubstr("trust")));
}

TEST_F(TlsContextFiles, WhoseKeyMayNotSignAreRefused) {
  CertificatePlan plan;
  plan.key_usage = "keyEncipherment";
  const TlsFiles files = maker_.Issue(plan);
  EXPECT_THAT(Failure(files), AllOf(HasSubstr(files.chain_file), HasSubstr("KEY_USAGE")));
}

TEST_F(TlsContextFiles, OfDifferentPairsAreNamedTogether) {
  TlsFiles files = good_;
  files.key_file = maker_.Issue({}).key_file;
  EXPECT_THAT(Failure(files), AllOf(HasSubstr(files.key_file), HasSubstr(files.chain_file),
                                    HasSubstr("does not belong")));
}

}  // namespace
}  // namespace gatehouse
