#include "core/certificate/certificate_chain.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <ctime>

#include "core/certificate/certificate_bundle.h"
#include "core/certificate/private_key.h"
#include "tests/unit/core/certificate/openssl_folder.h"

namespace gatehouse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kDay = 86400;

class CertificateChain : public testing::Test {
 protected:
  CertificateChain() {
    folder_.MakeRoot("root");
    folder_.Issue("middle", Ca("root"));
    folder_.Issue("lower", Ca("middle"));
    folder_.Issue("leaf", {.issuer = "lower"});
  }
  static OpensslFolder::Below Ca(const std::string& issuer) {
    return {.issuer = issuer, .extensions = OpensslFolder::Authority()};
  }
  std::vector<std::string> DersOf(const std::vector<std::string>& names) {
    std::vector<std::string> ders;
    for (const std::string& name : names) {
      const auto bundle = ReadCertificateBundle(folder_.Read(name + ".pem"), "");
      EXPECT_TRUE(bundle.has_value()) << name;
      if (bundle) ders.insert(ders.end(), bundle->certificates.begin(), bundle->certificates.end());
    }
    return ders;
  }
  Result<BuiltChain> Build(const std::vector<std::string>& names,
                           std::int64_t now = std::time(nullptr)) {
    return BuildChain(DersOf(names), PublicKeyHash(folder_.Read("leaf.key")).value_or(""), now);
  }
  static std::vector<std::string> SubjectsOf(const Result<BuiltChain>& chain) {
    std::vector<std::string> subjects;
    EXPECT_TRUE(chain.has_value()) << chain.error().text;
    if (chain)
      for (const CertificateFacts& link : chain->links) subjects.push_back(link.subject);
    return subjects;
  }

  OpensslFolder folder_;
};

TEST_F(CertificateChain, IsOrderedWithoutItsRootFromAnyOrder) {
  std::vector<std::string> names = {"leaf", "lower", "middle", "root"};
  std::ranges::sort(names);
  do {
    const auto chain = Build(names);
    EXPECT_THAT(SubjectsOf(chain), ElementsAre("CN=leaf", "CN=lower", "CN=middle"));
    EXPECT_TRUE(chain->root_seen);
    EXPECT_THAT(chain->notes, ElementsAre(HasSubstr("the root 'CN=root' is not sent")));
  } while (std::ranges::next_permutation(names).found);
  folder_.Write("chain.pem", Build(names)->pem);
  folder_.Run("verify -CAfile root.pem -untrusted chain.pem chain.pem");
}

TEST_F(CertificateChain, EndsWhereNoIssuerIsGiven) {
  const auto chain = Build({"leaf", "lower"});
  EXPECT_THAT(SubjectsOf(chain), ElementsAre("CN=leaf", "CN=lower"));
  EXPECT_FALSE(chain->root_seen);
  EXPECT_THAT(chain->notes, IsEmpty());
}

TEST_F(CertificateChain, LeavesStrangersAndRepetitionsOut) {
  folder_.MakeRoot("stranger");
  folder_.Issue("other", {.issuer = "stranger"});
  const auto chain = Build({"other", "leaf", "leaf", "lower", "middle", "stranger"});
  EXPECT_THAT(SubjectsOf(chain), ElementsAre("CN=leaf", "CN=lower", "CN=middle"));
  EXPECT_THAT(chain->notes, ElementsAre(HasSubstr("'CN=other' is left out: it does not belong"),
                                        HasSubstr("'CN=stranger' is left out: it is a root that")));
}

// A CA of the same name and another key has not issued it.
TEST_F(CertificateChain, GoesBySignatureNotByNameAlone) {
  folder_.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=lower "
      "-keyout false.key -out false.pem -addext keyUsage=keyCertSign");
  EXPECT_THAT(SubjectsOf(Build({"false", "leaf", "lower"})), ElementsAre("CN=leaf", "CN=lower"));
}

// The CA "middle" is known by its own root and by an old one that has expired, as some public ones
// were.
TEST_F(CertificateChain, TakesTheWayWithoutExpiredCertificates) {
  folder_.MakeRoot("old");
  folder_.Run("x509 -in middle.pem -out good.pem");
  OpensslFolder::Below cross = Ca("old");
  cross.options = "-sha256 -days 10";
  folder_.Issue("middle", cross);
  folder_.Run("x509 -in middle.pem -out cross.pem");
  const auto later = std::time(nullptr) + 20 * kDay;
  const auto chain = Build({"leaf", "cross", "lower", "old", "good"}, later);
  EXPECT_THAT(SubjectsOf(chain), ElementsAre("CN=leaf", "CN=lower", "CN=middle"));
  EXPECT_THAT(chain->links.back().issuer, "CN=root");
  EXPECT_THAT(
      chain->notes,
      Contains(HasSubstr("'CN=middle' is left out: it is not valid now, and the chain has")));
  const auto only = Build({"leaf", "cross", "lower", "old"}, later);
  EXPECT_THAT(only->links.back().issuer, "CN=old");  // there is no other way
}

// As those of a public authority were in 2024: an old bundle goes on being good without its end.
TEST_F(CertificateChain, EndsBelowAnExpiredCrossSignedRoot) {
  folder_.MakeRoot("old");
  OpensslFolder::Below cross = Ca("old");
  cross.options = "-sha256 -days 10";
  folder_.Issue("middle", cross);
  const auto later = std::time(nullptr) + 20 * kDay;
  const auto chain = Build({"middle", "lower", "leaf"}, later);
  EXPECT_THAT(SubjectsOf(chain), ElementsAre("CN=leaf", "CN=lower"));
  EXPECT_THAT(
      chain->notes,
      ElementsAre("'CN=middle' is left out: it has expired; who trusts it as a root has it"));
  EXPECT_THAT(SubjectsOf(Build({"middle", "leaf", "lower"})),
              ElementsAre("CN=leaf", "CN=lower", "CN=middle"));
}

TEST_F(CertificateChain, OfARenewedCertificateIsTheNewOne) {
  folder_.Run("x509 -in leaf.pem -out before.pem");
  folder_.Issue("leaf", {.issuer = "lower", .options = "-sha256 -days 300"});
  const auto chain = Build({"before", "leaf"});
  EXPECT_EQ(chain->links.front().sha256, FactsOf(DersOf({"leaf"})[0])->sha256);
  EXPECT_THAT(chain->notes, ElementsAre(HasSubstr("an older certificate of the same key")));
}

TEST_F(CertificateChain, NeedsTheCertificateOfTheKey) {
  const auto chain = Build({"lower", "middle"});
  ASSERT_FALSE(chain.has_value());
  EXPECT_THAT(chain.error().text, HasSubstr("none of the 2 certificates belongs to the key"));
  EXPECT_FALSE(BuildChain({}, "", 0).has_value());
  EXPECT_FALSE(BuildChain({"no certificate"}, "", 0).has_value());
}

// Ways that go round in circles, hundreds of them.
TEST_F(CertificateChain, IsBuiltAmongManyWaysInTime) {
  std::vector<std::string> names = {"leaf", "lower"};
  for (int i = 0; i < 6; ++i) {
    folder_.MakeRoot("knot" + std::to_string(i));
    folder_.Issue("middle", Ca("knot" + std::to_string(i)));
    folder_.Run("x509 -in middle.pem -out cross" + std::to_string(i) + ".pem");
    folder_.Issue("knot" + std::to_string(i), Ca("middle"));
    names.push_back("cross" + std::to_string(i));
    names.push_back("knot" + std::to_string(i));
  }
  EXPECT_TRUE(Build(names).has_value());
}

TEST(CertificateFactsOf, TellsWhatIsInACertificate) {
  OpensslFolder folder;
  folder.MakeRoot("root");
  folder.Issue(
      "leaf",
      {.issuer = "root",
       .extensions = "subjectAltName=DNS:corp.example,DNS:*.corp.example,"
                     "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.corp.example,"
                     "otherName:1.3.6.1.5.5.7.8.5;UTF8:corp.example,URI:sip:corp.example\n"
                     "extendedKeyUsage=serverAuth,1.3.6.1.5.5.7.3.20\nkeyUsage=digitalSignature",
       .key = "rsa:2048",
       .options = "-sha384 -days 90 -set_serial 0x1234abcd"});
  const std::string der = ReadCertificateBundle(folder.Read("leaf.pem"), "")->certificates.front();
  const auto facts = FactsOf(der);
  ASSERT_TRUE(facts.has_value()) << facts.error().text;
  EXPECT_EQ(facts->subject, "CN=leaf");
  EXPECT_EQ(facts->issuer, "CN=root");
  EXPECT_EQ(facts->serial, "1234abcd");
  EXPECT_EQ(facts->key_type, "rsa-2048");
  EXPECT_EQ(facts->signature_algorithm, "ecdsa-sha384");
  EXPECT_TRUE(facts->signature_ok && facts->may_sign && facts->has_eku);
  EXPECT_TRUE(facts->server_eku && facts->sip_domain_eku);
  EXPECT_FALSE(facts->client_eku || facts->any_eku || facts->is_ca || facts->self_signed);
  EXPECT_EQ(facts->not_after - facts->not_before, 90 * kDay);
  EXPECT_THAT(facts->names,
              ElementsAre("corp.example", "*.corp.example", "srv:_xmpp-server.corp.example",
                          "xmpp:corp.example", "uri:sip:corp.example"));
  const std::string seen = folder.Run("x509 -in leaf.pem -noout -fingerprint -sha256");
  std::string digits;
  for (const char c : seen.substr(seen.find('=') + 1))
    if (c != ':' && c != '\n') digits += static_cast<char>(std::tolower(c));
  EXPECT_EQ(facts->sha256, digits);
}

TEST(CertificateFactsOf, RootAndLeafWithoutAlternativeNames) {
  OpensslFolder folder;
  folder.MakeRoot("root");
  folder.Issue("leaf", {.issuer = "root", .options = "-sha1 -days 90"});
  const auto root = FactsOf(ReadCertificateBundle(folder.Read("root.pem"), "")->certificates[0]);
  EXPECT_TRUE(root->is_ca && root->self_signed && !root->may_sign);
  const auto leaf = FactsOf(ReadCertificateBundle(folder.Read("leaf.pem"), "")->certificates[0]);
  EXPECT_THAT(leaf->names, ElementsAre("cn:leaf"));
  EXPECT_FALSE(leaf->has_eku || leaf->signature_ok);
  EXPECT_EQ(leaf->signature_algorithm, "ecdsa-sha1");
}

}  // namespace
}  // namespace gatehouse
