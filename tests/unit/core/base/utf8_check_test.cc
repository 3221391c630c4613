#include "core/base/utf8_check.h"

#include <gtest/gtest.h>

#include <string_view>

namespace gatehouse {
namespace {

std::size_t Sound(std::string_view text) {
  Utf8Check check;
  return check.Feed(std::as_bytes(std::span(text)));
}

TEST(Utf8Check, TakesEveryLengthOfSequence) {
  constexpr std::string_view kText = "plain ascii \u00FC \u20AC \U0001F600 and more ascii behind";
  EXPECT_EQ(Sound(kText), kText.size());
}

TEST(Utf8Check, StopsAtTheFirstUnsoundByte) {
  EXPECT_EQ(Sound("a\xC0\xAF"), 1U);                    // overlong
  EXPECT_EQ(Sound("a\xE0\x80\xAF"), 2U);                // overlong
  EXPECT_EQ(Sound("a\xED\xA0\x80"), 2U);                // surrogate
  EXPECT_EQ(Sound("0123456789\xF4\x90\x80\x80"), 11U);  // above U+10FFFF
  EXPECT_EQ(Sound("0123456789abcdef\xF5"), 16U);
  EXPECT_EQ(Sound("\x80"), 0U);
  EXPECT_EQ(Sound("\xC3("), 1U);
}

TEST(Utf8Check, CompletesASequenceCutAtAnyPlace) {
  constexpr std::string_view kText = "\u00FC\u20AC\U0001F600x";
  Utf8Check check;
  for (const char& c : kText) EXPECT_EQ(check.Feed(std::as_bytes(std::span(&c, 1))), 1U);
}

TEST(Utf8Check, IsNotCompleteInsideASequence) {
  Utf8Check check;
  EXPECT_TRUE(check.complete());
  EXPECT_EQ(check.Feed(std::as_bytes(std::span("\xE2\x82", 2))), 2U);
  EXPECT_FALSE(check.complete());
}

TEST(IsUtf8, KnowsATextFromItsForgeries) {
  for (const auto* text : {"", "gr\u00FCn \U0001F600", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(IsUtf8(text)) << text;
  for (const auto* bad :
       {"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\x80", "\xC3", "\xE2\x82", "\xFE"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
}

TEST(CharacterLength, CountsTheOctetsOfTheFirstSoundCharacter) {
  EXPECT_EQ(CharacterLength("ab"), 1U);
  EXPECT_EQ(CharacterLength("\u00FCb"), 2U);
  EXPECT_EQ(CharacterLength("\u20ACb"), 3U);
  EXPECT_EQ(CharacterLength("\U0001F600"), 4U);
  for (const auto* bad : {"", "\x80", "\xC3", "\xC3(", "\xE2\x82", "\xFF", "\xED\xA0\x80"})
    EXPECT_EQ(CharacterLength(bad), 0U) << bad;
}

TEST(BeginningOf, CutsNoCharacterInTwo) {
  constexpr std::string_view kText = "a\u00FC\U0001F600";
  EXPECT_EQ(BeginningOf(kText, 7), kText);
  for (const std::size_t octets : {3U, 4U, 5U, 6U})
    EXPECT_EQ(BeginningOf(kText, octets), "a\u00FC");
  EXPECT_EQ(BeginningOf(kText, 2), "a");
  EXPECT_EQ(BeginningOf(kText, 0), "");
}

TEST(Utf8Check, ForeignOctetsAreReplacedOneByOne) {
  EXPECT_EQ(AsUtf8("near \"NU\xb3L\""), "near \"NU\uFFFDL\"");
  EXPECT_EQ(AsUtf8("\xE2\x82"), "\uFFFD\uFFFD") << "cut within a character";
  EXPECT_EQ(AsUtf8("Gr\u00fc\u00dfe \U0001F600"), "Gr\u00fc\u00dfe \U0001F600");
  EXPECT_EQ(AsUtf8(""), "");
}

}  // namespace
}  // namespace gatehouse
