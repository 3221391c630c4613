#include "core/base/text_encoding.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using std::string_view_literals::operator""sv;

TEST(DecodeText, TakesUtf8AndUtf16AndTheirMarksAway) {
  const std::string text = "a\r\nü 😀\n";
  EXPECT_EQ(DecodeText(text).value(), text);
  EXPECT_EQ(DecodeText("\xEF\xBB\xBF" + text).value(), text);
  const auto low =
      "\xFF\xFE"
      "a\0\r\0\n\0\xFC\0 \0\x3D\xD8\0\xDE\n\0"sv;
  const auto high =
      "\xFE\xFF"
      "\0a\0\r\0\n\0\xFC\0 \xD8\x3D\xDE\0\0\n"sv;
  EXPECT_EQ(DecodeText(low).value(), text);
  EXPECT_EQ(DecodeText(high).value(), text);
  EXPECT_EQ(DecodeText("").value(), "");
}

TEST(DecodeText, AMarkThatIsNotAtTheVeryStartIsACharacter) {
  EXPECT_EQ(DecodeText("a\xEF\xBB\xBF").value(), "a\xEF\xBB\xBF");
  EXPECT_EQ(DecodeText("\xEF\xBB\xBF\xEF\xBB\xBF").value(), "\xEF\xBB\xBF");
}

TEST(DecodeText, SaysInWhichLineItIsNoText) {
  struct Row {
    std::string_view bytes;
    int line;
    std::string_view what;
  };
  for (const Row& row :
       {Row{"\xFFx", 1, "is not in UTF-8"}, Row{"a\nb\n\xC3", 3, "is not in UTF-8"},
        Row{"a\nb\xE4\nc", 2, "is not in UTF-8"},
        Row{"some words\nand a \0\n"sv, 2, "has a zero octet"},
        Row{"a\0\n\0b\0"sv, 1, "is in UTF-16 without a byte order mark"},
        Row{"\xFF\xFE\n\0\x01\xD8x\0"sv, 2, "has half a character of UTF-16"},
        Row{"\xFF\xFE\n\0a"sv, 2, "has half a character of UTF-16"},
        Row{"\xFE\xFF\0a\0\n\0\0"sv, 2, "has a zero octet"}}) {
    const auto text = DecodeText(row.bytes);
    ASSERT_FALSE(text) << row.bytes;
    EXPECT_EQ(text.error().line, row.line) << row.bytes;
    EXPECT_EQ(text.error().what, row.what) << row.bytes;
  }
}

}  // namespace
}  // namespace gatehouse
