#include "core/config/check_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/certificate/openssl_folder.h"

namespace gatehouse {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckCertificateTest : public testing::Test {
 protected:
  static CertificatePlan For(std::vector<std::string> domains) {
    CertificatePlan plan;
    plan.dns_names = std::move(domains);
    return plan;
  }
  // The error of a file with two domains and `files`; "" where there is none.
  std::string ErrorOf(const TlsFiles& files) {
    auto yaml = YamlConfig::Parse(
        "domains:\n  - name: a.example\n  - name: b.example\ntls:\n"
        "  chain_file: " +
            files.chain_file + "\n  key_file: " + files.key_file + "\n  trust: " + files.trust +
            "\n" + (files.crl_file.empty() ? "" : "  crl_file: " + files.crl_file + "\n"),
        "g.yaml");
    if (!yaml) return yaml.error().text;
    const auto checked = CheckCertificate(*yaml);
    warnings_ = yaml->warnings();
    return checked ? "" : checked.error().text;
  }
  std::string Garbage() {
    const std::string path = maker_.Path("garbage");
    std::ofstream(path) << "no certificate\n";
    return path;
  }

  CertificateMaker maker_;
  TlsFiles good_ = maker_.Issue(For({"a.example", "b.example"}));
  std::vector<std::string> warnings_;
};

TEST_F(CheckCertificateTest, TrustIsReadAlsoWithoutACertificate) {
  auto yaml = YamlConfig::Parse("tls:\n  trust: " + Garbage() + "\n", "g.yaml");
  const auto checked = CheckCertificate(*yaml);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().text,
              AllOf(HasSubstr("g.yaml:2: key 'tls.trust': names '"),
                    HasSubstr("which holds no PEM certificate")));
  yaml = YamlConfig::Parse("acme:\n  trust: " + Garbage() + "\n", "g.yaml");
  const auto of_acme = CheckCertificate(*yaml);
  ASSERT_FALSE(of_acme);
  EXPECT_THAT(of_acme.error().text, HasSubstr("g.yaml:2: key 'acme.trust': names '"));
}

TEST_F(CheckCertificateTest, HasNothingAgainstARightOneOrNone) {
  EXPECT_EQ(ErrorOf(good_), "");
  EXPECT_THAT(warnings_, IsEmpty());
  auto without = YamlConfig::Parse("domains: [{name: a.example}]\n", "g.yaml");
  EXPECT_TRUE(CheckCertificate(*without));
}

TEST_F(CheckCertificateTest, RefusesTheKeyOfAnotherCertificate) {
  TlsFiles files = good_;
  files.key_file = maker_.Issue(For({"a.example"})).key_file;
  EXPECT_EQ(ErrorOf(files), "g.yaml:6: key 'tls.key_file': names '" + files.key_file +
                                "', which does not belong to the certificate in '" +
                                files.chain_file +
                                "'; would be right: the private key of that certificate, in a PEM "
                                "file");
}

TEST_F(CheckCertificateTest, NamesTheFileThatHoldsSomethingElse) {
  TlsFiles files = good_;
  files.chain_file = Garbage();
  EXPECT_THAT(ErrorOf(files), HasSubstr("g.yaml:5: key 'tls.chain_file': names '" + Garbage() +
                                        "', which holds no PEM certificate; would be right: "));
  files = good_;
  files.key_file = Garbage();
  EXPECT_THAT(ErrorOf(files),
              AllOf(HasSubstr("g.yaml:6: key 'tls.key_file'"), HasSubstr("holds no PEM private")));
  files = good_;
  files.trust = Garbage();
  EXPECT_THAT(ErrorOf(files),
              AllOf(HasSubstr("g.yaml:7: key 'tls.trust'"), HasSubstr("holds no PEM certificate")));
  files = good_;
  files.crl_file = Garbage();
  EXPECT_THAT(ErrorOf(files), AllOf(HasSubstr("g.yaml:8: key 'tls.crl_file': names '"),
                                    HasSubstr("which holds no PEM certificate revocation list; "
                                              "would be right: the revocation lists")));
}

// root and false have the same name, but not the same key.
class CheckListsTest : public CheckCertificateTest {
 protected:
  void MakeAuthority(const std::string& file, const std::string& name) {
    folder_.Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
                " -keyout " + file + ".key -out " + file +
                ".pem -addext basicConstraints=critical,CA:TRUE "
                "-addext keyUsage=keyCertSign,cRLSign");
    folder_.Write("index.txt", "");
    folder_.Write("ca.cnf",
                  "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n"
                  "default_crl_days=30\n");
    folder_.Run("ca -config ca.cnf -cert " + file + ".pem -keyfile " + file + ".key -gencrl -out " +
                file + ".crl");
  }
  std::string ErrorOfList(const std::string& list) {
    TlsFiles files = good_;
    files.trust = folder_.Path("root.pem");
    files.crl_file = folder_.Path(list + ".crl");
    return ErrorOf(files);
  }

  OpensslFolder folder_;
};

TEST_F(CheckListsTest, AListOfNoAuthorityWeTrustIsWarnedOf) {
  MakeAuthority("root", "corp");
  MakeAuthority("other", "elsewhere");
  EXPECT_EQ(ErrorOfList("root"), "");
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(ErrorOfList("other"), "");
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("g.yaml:8: key 'tls.crl_file': names '"),
                                           HasSubstr("the list of CN=elsewhere is signed by no "
                                                     "authority in tls.trust; it revokes "
                                                     "nothing"))));
}

TEST_F(CheckListsTest, AListThatItsAuthorityHasNotSignedIsRefused) {
  MakeAuthority("root", "corp");
  MakeAuthority("false", "corp");
  EXPECT_THAT(ErrorOfList("false"),
              AllOf(HasSubstr("g.yaml:8: key 'tls.crl_file': names '"),
                    HasSubstr("the list of CN=corp is not signed by the authority of that name in "
                              "tls.trust; would be right: ")));
  folder_.Write("root.pem", folder_.Read("root.pem") + folder_.Read("false.pem"));
  EXPECT_EQ(ErrorOfList("false"), "");  // an authority may have a new key besides the old one
}

// By dialback it can still work.
TEST_F(CheckCertificateTest, WarnsOfDomainsItDoesNotCarry) {
  EXPECT_EQ(ErrorOf(maker_.Issue(For({"a.example"}))), "");
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("g.yaml:5: key 'tls.chain_file': names '"),
                                           HasSubstr("without the domain b.example;"))));
  EXPECT_EQ(ErrorOf(maker_.Issue(For({"c.example"}))), "");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("without the domain a.example, b.example;")));
}

}  // namespace
}  // namespace gatehouse
