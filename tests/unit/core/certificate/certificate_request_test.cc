#include "core/certificate/certificate_request.h"

#include <gmock/gmock.h>

#include <string>

#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_chain.h"
#include "core/certificate/issuing.h"
#include "core/certificate/private_key.h"
#include "core/tls/crypto.h"
#include "tests/unit/core/certificate/openssl_folder.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string MustMakeKey(KeyType type) {
  const Result<std::string> key = MakePrivateKey(type);
  EXPECT_TRUE(key.has_value());
  return key.value_or("");
}

RequestDetails Corp() {
  RequestDetails details;
  details.common_name = "corp.example";
  details.dns_names = {"corp.example", "sip.corp.example"};
  return details;
}

std::string ErrorOf(const RequestDetails& details) {
  const auto request = MakeCertificateRequest(details, MustMakeKey(KeyType::kP256));
  EXPECT_FALSE(request.has_value());
  return request ? "" : request.error().text;
}

TEST(PrivateKey, IsOfTheTypeThatWasAskedFor) {
  OpensslFolder folder;
  struct Row {
    KeyType type;
    std::string_view word;
    std::string seen;
  };
  for (const Row& row : {Row{KeyType::kRsa2048, "rsa-2048", "2048 bit"},
                         Row{KeyType::kP256, "p-256", "ASN1 OID: prime256v1"},
                         Row{KeyType::kP384, "p-384", "ASN1 OID: secp384r1"}}) {
    const std::string key = MustMakeKey(row.type);
    EXPECT_THAT(key, HasSubstr("-----BEGIN PRIVATE KEY-----"));
    EXPECT_EQ(KeyTypeWord(key).value_or(""), row.word);
    EXPECT_EQ(WordOf(row.type), row.word);
    EXPECT_EQ(KeyTypeOf(row.word), row.type);
    folder.Write("key.pem", key);
    EXPECT_THAT(folder.Run("pkey -in key.pem -check -noout -text"), HasSubstr(row.seen));
  }
  EXPECT_EQ(KeyTypeOf("rsa-1024"), std::nullopt);
}

TEST(PrivateKey, HasTheHashThatItsRequestAndCertificateHave) {
  OpensslFolder folder;
  const std::string key = MustMakeKey(KeyType::kP256);
  const std::string hash = PublicKeyHash(key).value_or("");
  EXPECT_EQ(hash.size(), 32U);
  folder.Write("key.pem", key);
  folder.Run("pkey -in key.pem -pubout -outform DER -out spki.der");
  EXPECT_EQ(hash, Sha256(folder.Read("spki.der")));
  const std::string request = MakeCertificateRequest(Corp(), key).value_or("");
  EXPECT_EQ(RequestPublicKeyHash(request).value_or(""), hash);
  const auto bundle = ReadCertificateBundle(SelfSign(request, key, 30).value_or(""), "");
  ASSERT_TRUE(bundle.has_value()) << bundle.error().text;
  EXPECT_EQ(FactsOf(bundle->certificates.front())->public_key_hash, hash);
}

TEST(PrivateKey, SaysWhatIsNone) {
  const auto hash = PublicKeyHash("no key");
  ASSERT_FALSE(hash.has_value());
  EXPECT_THAT(hash.error().text, HasSubstr("give one in PEM without a passphrase"));
}

TEST(CertificateRequest, IsReadByOpensslWithAllThatWasAskedFor) {
  OpensslFolder folder;
  RequestDetails details = Corp();
  details.organization = "Corp & Söhne, Inc.";
  details.organizational_unit = "Messaging";
  details.country = "de";
  details.state = "Bayern";
  details.locality = "München";
  details.srv_names = {"_xmpp-server.corp.example"};
  const auto request = MakeCertificateRequest(details, MustMakeKey(KeyType::kRsa2048));
  ASSERT_TRUE(request.has_value()) << request.error().text;
  folder.Write("request.pem", *request);
  const std::string text =
      folder.Run("req -in request.pem -verify -noout -text -nameopt utf8,sep_comma_plus");
  EXPECT_THAT(text, HasSubstr("O=Corp & Söhne, Inc."));
  for (const char* part :
       {"C=DE", "ST=Bayern", "L=München", "OU=Messaging", "CN=corp.example", "DNS:corp.example",
        "DNS:sip.corp.example", "othername: SRVName::_xmpp-server.corp.example",
        "TLS Web Server Authentication, TLS Web Client Authentication", "Key Encipherment"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(folder.Read("errors"), HasSubstr("self-signature verify OK"));
}

TEST(CertificateRequest, OfAnEllipticKeyIsNotForEncipherment) {
  OpensslFolder folder;
  folder.Write("request.pem",
               MakeCertificateRequest(Corp(), MustMakeKey(KeyType::kP384)).value_or(""));
  const std::string text = folder.Run("req -in request.pem -verify -noout -text");
  EXPECT_THAT(text, HasSubstr("ecdsa-with-SHA384"));
  EXPECT_THAT(text, Not(HasSubstr("Encipherment")));
}

TEST(CertificateRequest, RefusesWhatNoCertificateCanCarry) {
  struct Row {
    void (*change)(RequestDetails&);
    const char* sentence;
  };
  const Row rows[] = {
      {[](auto& d) { d.dns_names.clear(); }, "needs a name"},
      {[](auto& d) { d.dns_names = {"corp example"}; }, "'corp example' is no name"},
      {[](auto& d) { d.dns_names = {"192.0.2.1"}; }, "is no name"},
      {[](auto& d) {
         d.dns_names = {
             "b\xc3\xbc"
             "cher.example"};
       },
       "is no name"},
      {[](auto& d) { d.dns_names = {"a.example,DNS:b.example"}; }, "is no name"},
      {[](auto& d) { d.dns_names = {std::string(64, 'a') + ".example"}; }, "is no name"},
      {[](auto& d) { d.srv_names = {"_sip.corp.example"}; }, "is no SRV-ID"},
      {[](auto& d) { d.srv_names = {"_xmpp-server.*.corp.example"}; }, "is no SRV-ID"},
      {[](auto& d) { d.country = "DEU"; }, "write two letters such as DE"},
      {[](auto& d) { d.common_name = std::string(65, 'a'); }, "longer than the 64 characters"},
      {[](auto& d) { d.organization = "a\nb"; }, "control characters"},
      {[](auto& d) { d.organization = "\xff"; }, "not in UTF-8"},
  };
  for (const Row& row : rows) {
    RequestDetails details = Corp();
    row.change(details);
    EXPECT_THAT(ErrorOf(details), HasSubstr(row.sentence));
  }
}

TEST(CertificateRequest, IsRefusedWhereItIsSignedWithAnotherKey) {
  OpensslFolder folder;
  std::string der;
  folder.Write("request.pem",
               MakeCertificateRequest(Corp(), MustMakeKey(KeyType::kP256)).value_or(""));
  folder.Run("req -in request.pem -outform DER -out request.der");
  der = folder.Read("request.der");
  der.back() = static_cast<char>(der.back() ^ 1);
  folder.Write("request.der", der);
  folder.Run("req -in request.der -inform DER -out forged.pem");
  const auto hash = RequestPublicKeyHash(folder.Read("forged.pem"));
  ASSERT_FALSE(hash.has_value());
  EXPECT_THAT(hash.error().text, HasSubstr("not signed with its own key"));
}

class Issuing : public testing::Test {
 protected:
  OpensslFolder folder_;
  const std::string key_ = MustMakeKey(KeyType::kP256);
  const std::string request_ = MakeCertificateRequest(Corp(), key_).value_or("");
};

TEST_F(Issuing, SelfSignedHasTheNamesOfItsRequest) {
  folder_.Write("self.pem", SelfSign(request_, key_, 30).value_or(""));
  folder_.Run("verify -check_ss_sig -CAfile self.pem self.pem");
  const std::string text = folder_.Run("x509 -in self.pem -noout -text");
  for (const char* part : {"DNS:corp.example, DNS:sip.corp.example", "CA:FALSE",
                           "TLS Web Server Authentication, TLS Web Client Authentication"})
    EXPECT_THAT(text, HasSubstr(part));
  const auto other = SelfSign(request_, MustMakeKey(KeyType::kP256), 30);
  EXPECT_THAT(other.error().text, HasSubstr("made with another key"));
}

TEST_F(Issuing, ByACaIsTakenByWhoTrustsThatCa) {
  folder_.MakeRoot("root");
  folder_.Issue("middle", {.issuer = "root", .extensions = OpensslFolder::Authority()});
  const auto chain = IssueBy(folder_.Read("middle.pem") + folder_.Read("root.pem"),
                             folder_.Read("middle.key"), request_, 3650);
  ASSERT_TRUE(chain.has_value()) << chain.error().text;
  folder_.Write("chain.pem", *chain);
  folder_.Run("verify -x509_strict -CAfile root.pem -untrusted chain.pem chain.pem");
  const auto bundle = ReadCertificateBundle(*chain, "");
  ASSERT_EQ(bundle->certificates.size(), 3U);
  EXPECT_EQ(FactsOf(bundle->certificates[0])->not_after,
            FactsOf(bundle->certificates[1])->not_after);
  EXPECT_THAT(FactsOf(bundle->certificates[0])->names,
              ElementsAre("corp.example", "sip.corp.example"));
}

TEST_F(Issuing, RefusesWhatIsNoCa) {
  folder_.MakeRoot("root");
  folder_.Issue("leaf", {.issuer = "root"});
  const auto by_leaf = IssueBy(folder_.Read("leaf.pem"), folder_.Read("leaf.key"), request_, 30);
  EXPECT_THAT(by_leaf.error().text, HasSubstr("'CN=leaf' is no CA"));
  const auto wrong_key = IssueBy(folder_.Read("root.pem"), folder_.Read("leaf.key"), request_, 30);
  EXPECT_THAT(wrong_key.error().text, HasSubstr("is another's"));
  const auto nothing = IssueBy("", folder_.Read("root.key"), request_, 30);
  EXPECT_THAT(nothing.error().text, HasSubstr("no certificate in PEM"));
}

}  // namespace
}  // namespace gatehouse
