#include "core/certificate/certificate_bundle.h"

#include <gmock/gmock.h>

#include <string>

#include "core/certificate/certificate_chain.h"
#include "core/certificate/private_key.h"
#include "tests/unit/core/certificate/openssl_folder.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string SubjectsOf(const CertificateBundle& bundle) {
  std::string subjects;
  for (const std::string& der : bundle.certificates) subjects += FactsOf(der)->subject + ' ';
  return subjects;
}

// A root, a CA below it and a leaf, in every form that openssl writes.
class CertificateBundleFile : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new OpensslFolder;
    folder_->MakeRoot("root");
    folder_->Issue("middle", {.issuer = "root", .extensions = OpensslFolder::Authority()});
    folder_->Issue("leaf", {.issuer = "middle"});
    folder_->Write("chain.pem", Pem("leaf") + Pem("middle") + Pem("root"));
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string Pem(const std::string& name) { return folder_->Read(name + ".pem"); }
  static std::string Key() { return folder_->Read("leaf.key"); }
  static CertificateBundle MustRead(const std::string& content,
                                    const std::string& passphrase = "") {
    const auto bundle = ReadCertificateBundle(content, passphrase);
    EXPECT_TRUE(bundle.has_value()) << bundle.error().text;
    return bundle.value_or(CertificateBundle{});
  }
  static std::string ErrorOf(const std::string& content, const std::string& passphrase = "") {
    const auto bundle = ReadCertificateBundle(content, passphrase);
    EXPECT_FALSE(bundle.has_value());
    return bundle ? "" : bundle.error().text;
  }
  static void ExpectLeafKey(const CertificateBundle& bundle) {
    ASSERT_EQ(bundle.keys.size(), 1U);
    EXPECT_EQ(PublicKeyHash(bundle.keys[0]).value_or("a"), PublicKeyHash(Key()).value_or("b"));
    EXPECT_THAT(bundle.keys[0], testing::StartsWith("-----BEGIN PRIVATE KEY-----"));
  }

  static OpensslFolder* folder_;
};
OpensslFolder* CertificateBundleFile::folder_ = nullptr;

TEST_F(CertificateBundleFile, InPemIsReadInItsOrderWithItsKey) {
  const CertificateBundle bundle =
      MustRead("Subject: leaf\n" + Pem("leaf") + Key() + Pem("middle"));
  EXPECT_EQ(SubjectsOf(bundle), "CN=leaf CN=middle ");
  ExpectLeafKey(bundle);
}

TEST_F(CertificateBundleFile, InPemOfWindowsIsRead) {
  std::string text = "\xEF\xBB\xBF" + Pem("leaf");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.insert(at, 1, '\r');
  EXPECT_EQ(SubjectsOf(MustRead(text)), "CN=leaf ");
}

TEST_F(CertificateBundleFile, InDerIsRead) {
  folder_->Run("x509 -in leaf.pem -outform DER -out leaf.der");
  EXPECT_EQ(SubjectsOf(MustRead(folder_->Read("leaf.der"))), "CN=leaf ");
  folder_->Run("pkcs8 -topk8 -nocrypt -in leaf.key -outform DER -out key.der");
  ExpectLeafKey(MustRead(folder_->Read("key.der")));
  folder_->Run("ec -in leaf.key -outform DER -out ec.der");
  ExpectLeafKey(MustRead(folder_->Read("ec.der")));
}

TEST_F(CertificateBundleFile, InPkcs7IsRead) {
  folder_->Run("crl2pkcs7 -nocrl -certfile chain.pem -out chain.p7b");
  EXPECT_EQ(SubjectsOf(MustRead(folder_->Read("chain.p7b"))), "CN=leaf CN=middle CN=root ");
  folder_->Run("crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out chain.der");
  EXPECT_EQ(SubjectsOf(MustRead(folder_->Read("chain.der"))), "CN=leaf CN=middle CN=root ");
}

// As openssl 3 writes it, as Windows did for long, and as it does now.
TEST_F(CertificateBundleFile, InPkcs12IsReadWithItsPassphrase) {
  for (const char* how :
       {"", "-legacy", "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256"}) {
    folder_->Run("pkcs12 -export -in leaf.pem -inkey leaf.key -certfile chain.pem " +
                 std::string(how) + " -passout pass:Grüße -out leaf.p12");
    const std::string content = folder_->Read("leaf.p12");
    const CertificateBundle bundle = MustRead(content, "Grüße");
    EXPECT_THAT(SubjectsOf(bundle), HasSubstr("CN=middle")) << how;
    ExpectLeafKey(bundle);
    EXPECT_THAT(ErrorOf(content), HasSubstr("PKCS #12 file is protected by a passphrase")) << how;
    EXPECT_THAT(ErrorOf(content, "other"), HasSubstr("does not open the PKCS #12 file")) << how;
  }
}

TEST_F(CertificateBundleFile, InPkcs12WithAnEmptyPassphraseIsRead) {
  folder_->Run("pkcs12 -export -in leaf.pem -inkey leaf.key -passout pass: -out leaf.p12");
  ExpectLeafKey(MustRead(folder_->Read("leaf.p12")));
}

TEST_F(CertificateBundleFile, WithAnEncryptedKeyIsReadWithItsPassphrase) {
  for (const char* how : {"pkcs8 -topk8 -in leaf.key -passout pass:secret",
                          "pkcs8 -topk8 -in leaf.key -passout pass:secret -outform DER",
                          "pkcs8 -topk8 -v1 PBE-SHA1-3DES -in leaf.key -passout pass:secret",
                          "ec -in leaf.key -aes128 -passout pass:secret"}) {
    folder_->Run(std::string(how) + " -out encrypted");
    const std::string content = folder_->Read("encrypted");
    ExpectLeafKey(MustRead(content, "secret"));
    EXPECT_THAT(ErrorOf(content), HasSubstr("private key is protected by a passphrase")) << how;
    EXPECT_THAT(ErrorOf(content, "other"), HasSubstr("does not open the private key")) << how;
  }
}

// Each of these would take ten seconds and more.
TEST_F(CertificateBundleFile, WhosePassphraseCostsTooMuchIsRefusedBeforeItIsTried) {
  const auto der = [](char tag, const std::string& content) {
    return std::string{tag, static_cast<char>(content.size())} + content;
  };
  constexpr char kOctets = 0x04, kOid = 0x06, kSequence = 0x30;
  const std::string rounds("\x02\x04\x05\xF5\xE1\x00", 6);  // 100,000,000
  const std::string kdf = der(kSequence, der(kOid, "\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C") +
                                             der(kSequence, der(kOctets, "saltsalt") + rounds));
  const std::string cipher = der(kSequence, der(kOid, "\x60\x86\x48\x01\x65\x03\x04\x01\x2A") +
                                                der(kOctets, std::string(16, 'i')));
  const std::string pbes2 = der(
      kSequence, der(kOid, "\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D") + der(kSequence, kdf + cipher));
  EXPECT_THAT(ErrorOf(der(kSequence, pbes2 + der(kOctets, std::string(16, 'x'))), "secret"),
              HasSubstr("derived in more than 10000000 rounds; have it written with fewer"));

  folder_->Run(
      "pkcs12 -export -in leaf.pem -inkey leaf.key -iter 65537 -passout pass:secret -out leaf.p12");
  std::string pkcs12 = folder_->Read("leaf.p12");
  ExpectLeafKey(MustRead(pkcs12, "secret"));
  const std::string few("\x02\x03\x01\x00\x01", 5);
  for (std::size_t at = 0; (at = pkcs12.find(few, at)) != std::string::npos;)
    pkcs12.replace(at, few.size(), "\x02\x03\x7F\xFF\xFF");  // 8,388,607, more than once
  EXPECT_THAT(ErrorOf(pkcs12, "secret"), HasSubstr("more than 10000000 rounds"));

  folder_->Run("pkcs8 -topk8 -iter 65537 -in leaf.key -passout pass:secret -out one");
  const std::string key = folder_->Read("one");
  ExpectLeafKey(MustRead(Pem("leaf") + key + key, "secret"));
  std::string many;
  for (int i = 0; i < 160; ++i) many += key;
  EXPECT_THAT(ErrorOf(many, "secret"), HasSubstr("more than 10000000 rounds"));
}

TEST_F(CertificateBundleFile, SaysThatAnEncryptionIsNotRead) {
  folder_->Run("pkcs8 -topk8 -scrypt -in leaf.key -passout pass:secret -out encrypted");
  EXPECT_THAT(ErrorOf(folder_->Read("encrypted"), "secret"),
              HasSubstr("is encrypted in a way that is not read"));
}

TEST_F(CertificateBundleFile, ThatIsNoneSaysWhy) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("is empty"));
  EXPECT_THAT(ErrorOf("hello"), HasSubstr("give PEM, DER, PKCS #12"));
  EXPECT_THAT(ErrorOf(std::string(5000, '\0')), HasSubstr("give PEM, DER, PKCS #12"));
  EXPECT_THAT(ErrorOf("\xFF\xFE-\0"), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf(std::string(kMaxBundleBytes + 1, 'a')),
              HasSubstr("more than 1048576 octets"));
  std::string damaged = Pem("leaf");
  damaged[60] = '!';
  EXPECT_THAT(ErrorOf(damaged), HasSubstr("its PEM text is damaged"));
  EXPECT_THAT(ErrorOf(Pem("leaf").substr(0, 200)), HasSubstr("its PEM text is damaged"));
  EXPECT_THAT(ErrorOf("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              HasSubstr("certificate 1 in it cannot be read"));
  folder_->Run("req -new -key leaf.key -subj /CN=leaf -out leaf.csr");
  EXPECT_THAT(ErrorOf(folder_->Read("leaf.csr")), HasSubstr("neither a certificate nor"));
}

TEST_F(CertificateBundleFile, HoldsAsManyCertificatesAsAChainNeeds) {
  std::string text;
  for (std::size_t i = 0; i < kMaxBundleCertificates; ++i) text += Pem("leaf");
  EXPECT_EQ(MustRead(text).certificates.size(), kMaxBundleCertificates);
  EXPECT_THAT(ErrorOf(text + Pem("leaf")), HasSubstr("more than 64 certificates"));
}

}  // namespace
}  // namespace gatehouse
