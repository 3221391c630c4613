#include "plugins/dialback_verifier/dialback_key.h"

#include <gtest/gtest.h>

#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr const char* kSecret = "s3cr3tf0rd14lb4ck";
constexpr const char* kFirstKey =
    "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643";

TEST(DialbackKey, IsTheOneOfTheFirstVector) {
  EXPECT_EQ(DialbackHmacKey(kSecret),
            "a7136eb1f46c9ef18c5e78c36ca257067c69b3d518285f0b18a96c33beae9acc");
  EXPECT_EQ(
      MakeDialbackKey(DialbackHmacKey(kSecret), {"xmpp.example.com", "example.org", "D60000229F"}),
      kFirstKey);
}

TEST(DialbackKey, IsTheOneOfTheOtherVectors) {
  EXPECT_EQ(MakeDialbackKey(DialbackHmacKey(kSecret),
                            {"montague.example", "capulet.example", "D60000229F"}),
            "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3");
  EXPECT_EQ(MakeDialbackKey(DialbackHmacKey("d14lb4ck43v3r"),
                            {"capulet.example", "montague.example", "417GAF25"}),
            "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d");
}

TEST(DialbackKey, IsNotMadeWithTheRawDigest) {
  const std::string wrong = "4530485cd3f519a56e49b11b294b990ee9697dddaa9e95949e4cb0e64e9f017f";
  const DialbackContext first{"xmpp.example.com", "example.org", "D60000229F"};
  EXPECT_NE(MakeDialbackKey(DialbackHmacKey(kSecret), first), wrong);
  EXPECT_EQ(MakeDialbackKey(Sha256(kSecret), first), wrong);  // what the mistake looks like
}

TEST(DialbackKey, CoversBothDomainsAndTheStream) {
  const std::string k = DialbackHmacKey(kSecret);
  EXPECT_NE(MakeDialbackKey(k, {"a.example", "b.example", "1"}),
            MakeDialbackKey(k, {"b.example", "a.example", "1"}));
  EXPECT_NE(MakeDialbackKey(k, {"a.example", "b.example", "1"}),
            MakeDialbackKey(k, {"a.example", "b.example", "2"}));
}

TEST(DialbackKey, IsStrippedOfWhiteSpaceAround) {
  EXPECT_EQ(StripKey("\r\n  abc\t"), "abc");
  EXPECT_EQ(StripKey("a b"), "a b");
  EXPECT_EQ(StripKey(" \n"), "");
}

TEST(DialbackKey, IsImplausibleWhenLongOrNotPrintable) {
  EXPECT_TRUE(IsPlausibleKey(kFirstKey));
  EXPECT_TRUE(IsPlausibleKey(std::string(256, 'a')));
  for (const std::string& bad : {std::string(), std::string(257, 'a'), std::string("a b"),
                                 std::string("a\x01"), std::string("\xC3\xA4")})
    EXPECT_FALSE(IsPlausibleKey(bad)) << bad;
}

TEST(DialbackStreamId, IsAnNmtokenOfAtMost256Octets) {
  EXPECT_TRUE(IsPlausibleStreamId("D60000229F"));
  EXPECT_TRUE(IsPlausibleStreamId("a-b_c.d:e"));
  for (const std::string& bad :
       {std::string(), std::string(257, 'a'), std::string("a b"), std::string("a<")})
    EXPECT_FALSE(IsPlausibleStreamId(bad)) << bad;
}

}  // namespace
}  // namespace gatehouse
