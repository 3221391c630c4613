#include "core/tls/crypto.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

TEST(Crypto, HexAndRandomHaveTheLengthAskedFor) {
  EXPECT_EQ(Hex(std::string("\x00\x0f\xff", 3)), "000fff");
  EXPECT_EQ(RandomBytes(16).size(), 16U);
  EXPECT_EQ(RandomHex(16).size(), 32U);
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
}

// RFC 6234 §8.5 and RFC 4231 §4.3
TEST(Crypto, DigestsAndMacsEqualThePublishedVectors) {
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Crypto, Base64GoesBothWays) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64Url("\xff\xfe\xff\xfe"), "__7__g");
  std::string bytes = "left from before";
  EXPECT_TRUE(DecodeBase64("Zm9vYg==", bytes));
  EXPECT_EQ(bytes, "foob");
  EXPECT_TRUE(DecodeBase64("", bytes));
  EXPECT_EQ(bytes, "");
}

TEST(Crypto, Base64WithWhiteSpaceOrWrongPaddingIsRefused) {
  std::string bytes;
  for (const char* wrong : {"Zg=", "Zg", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v=", "Z===", "=", "Zm9*"})
    EXPECT_FALSE(DecodeBase64(wrong, bytes)) << wrong;
}

TEST(Crypto, ComparisonSeesEveryOctet) {
  EXPECT_TRUE(ConstantTimeEqual("same", "same"));
  EXPECT_FALSE(ConstantTimeEqual("same", "sane"));
  EXPECT_FALSE(ConstantTimeEqual("same", "same2"));
  EXPECT_TRUE(ConstantTimeEqual("", ""));
}

}  // namespace
}  // namespace gatehouse
