#include "plugins/acme_client/jws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

#include "core/certificate/private_key.h"
#include "core/tls/crypto.h"

namespace gatehouse::acme {
namespace {

using testing::HasSubstr;

// RFC 7515 A.3.1: "d" of its key.
constexpr std::string_view kSecret = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
constexpr std::string_view kPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

// In PEM, PKCS #8.
std::string PemOf(std::string_view secret) {
  const std::string octets = *DecodeBase64Url(secret);
  const bssl::UniquePtr<BIGNUM> number(
      BN_bin2bn(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), nullptr));
  const bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  const EC_GROUP* const group = EC_KEY_get0_group(ec.get());
  const bssl::UniquePtr<EC_POINT> point(EC_POINT_new(group));
  const bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  const bssl::UniquePtr<BIO> pem(BIO_new(BIO_s_mem()));
  const bool made =
      EC_POINT_mul(group, point.get(), number.get(), nullptr, nullptr, nullptr) == 1 &&
      EC_KEY_set_private_key(ec.get(), number.get()) == 1 &&
      EC_KEY_set_public_key(ec.get(), point.get()) == 1 &&
      EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1 &&
      PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
          1;
  EXPECT_TRUE(made);
  const std::uint8_t* text = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(BIO_mem_contents(pem.get(), &text, &size), 1);
  return {reinterpret_cast<const char*>(text), size};
}

Es256Key Key() {
  return *Es256Key::Parse(PemOf(kSecret));
}

// The value of a member whose value is a text without escapes.
std::string MemberOf(std::string_view json, std::string_view name) {
  const std::string before = "\"" + std::string(name) + "\":\"";
  const std::size_t at = json.find(before) + before.size();
  return std::string(json.substr(at, json.find('"', at) - at));
}

// What a body says, and that it is signed with the key.
std::string ProtectedOf(const std::string& body, const Es256Key& key) {
  const std::string input = MemberOf(body, "protected") + "." + MemberOf(body, "payload");
  EXPECT_TRUE(key.Verifies(input, *DecodeBase64Url(MemberOf(body, "signature"))));
  return *DecodeBase64Url(MemberOf(body, "protected"));
}

TEST(Jws, Es256VerifiesTheExampleOfRfc7515) {
  const std::string input = "eyJhbGciOiJFUzI1NiJ9." + std::string(kPayload);
  const auto signature = DecodeBase64Url(
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  ASSERT_TRUE(signature);
  EXPECT_TRUE(Key().Verifies(input, *signature));
  EXPECT_FALSE(Key().Verifies(input + "x", *signature));
  const std::string ours = Key().Sign(input);
  EXPECT_EQ(ours.size(), 64U);
  EXPECT_TRUE(Key().Verifies(input, ours));
}

// RFC 7515 A.1
TEST(Jws, Hs256MakesTheExampleOfRfc7515) {
  const auto key = DecodeBase64Url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  EXPECT_EQ(Base64Url(HmacSha256(
                *key, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + std::string(kPayload))),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Jws, TheKeyAndItsThumbprint) {
  EXPECT_EQ(JwkOf(Key()),
            R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
  EXPECT_EQ(ThumbprintOf(Key()), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
  EXPECT_EQ(KeyAuthorization(Key(), "tok"), "tok.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
  EXPECT_EQ(DnsValue("x").size(), 43U);
}

TEST(Jws, ARequestNamesItsAccountOrBringsTheKey) {
  const Es256Key key = Key();
  const std::string first =
      SignedRequest(key, {.account_url = {}, .nonce = "n1", .url = "https://a/b"}, "{}");
  EXPECT_EQ(ProtectedOf(first, key),
            R"({"alg":"ES256","jwk":)" + JwkOf(key) + R"(,"nonce":"n1","url":"https://a/b"})");
  EXPECT_EQ(MemberOf(first, "payload"), "e30");
  const std::string later =
      SignedRequest(key, {.account_url = "https://a/1", .nonce = "n2", .url = "https://a/b"}, "");
  EXPECT_EQ(ProtectedOf(later, key),
            R"({"alg":"ES256","kid":"https://a/1","nonce":"n2","url":"https://a/b"})");
  EXPECT_EQ(MemberOf(later, "payload"), "");  // POST-as-GET
}

TEST(Jws, AnExternalAccountVouchesForTheKey) {
  const std::string bound = ExternalBinding({"kid-1", "secret"}, Key(), "https://a/new");
  EXPECT_EQ(*DecodeBase64Url(MemberOf(bound, "protected")),
            R"({"alg":"HS256","kid":"kid-1","url":"https://a/new"})");
  EXPECT_EQ(*DecodeBase64Url(MemberOf(bound, "payload")), JwkOf(Key()));
  EXPECT_EQ(*DecodeBase64Url(MemberOf(bound, "signature")),
            HmacSha256("secret", MemberOf(bound, "protected") + "." + MemberOf(bound, "payload")));
}

TEST(Jws, Base64UrlIsStrict) {
  EXPECT_EQ(DecodeBase64Url("YQ"), "a");
  EXPECT_EQ(DecodeBase64Url("_-8"), "\xff\xef");
  for (const char* bad : {"Y", "YQ==", "a+b/", "a b "}) EXPECT_FALSE(DecodeBase64Url(bad)) << bad;
}

TEST(Jws, OnlyTokensAreTokens) {
  EXPECT_TRUE(IsToken("DGyRejmCefe7v4NfDGDKfA"));
  for (const std::string& bad : {std::string(), std::string("a/b"), std::string(".."),
                                 std::string("a\r\n"), std::string(257, 'a')})
    EXPECT_FALSE(IsToken(bad)) << bad;
}

TEST(Jws, TextsAreEscaped) {
  EXPECT_EQ(JsonQuoted("a\"b\\c\n"), R"("a\"b\\c\u000a")");
}

TEST(Es256Key, TakesNoOtherKey) {
  EXPECT_FALSE(Es256Key::Parse(""));
  for (const KeyType type : {KeyType::kP384, KeyType::kRsa2048})
    EXPECT_FALSE(Es256Key::Parse(*MakePrivateKey(type)));
}

}  // namespace
}  // namespace gatehouse::acme
