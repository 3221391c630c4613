#include "core/base/one_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/utf8_check.h"

namespace gatehouse {
namespace {

using testing::EndsWith;
using testing::StartsWith;

TEST(AsSentence, IsOneLineWhateverIsQuotedInIt) {
  EXPECT_EQ(AsSentence("is 'a\nb\x1b[2J\u2028'; would be right: c"),
            "is 'a?b?[2J?'; would be right: c");
}

TEST(AsSentence, ThatIsTooLongHasItsBeginningAndItsRemedy) {
  const std::string longest(kMaxSentenceBytes, 'a');
  EXPECT_EQ(AsSentence(longest), longest);
  const std::string sentence =
      AsSentence("is '" + std::string(1'000'000, 'a') + "'; would be right: b");
  EXPECT_LE(sentence.size(), kMaxSentenceBytes);
  EXPECT_THAT(sentence, StartsWith("is 'aaaa"));
  EXPECT_THAT(sentence, EndsWith("aaaa'; would be right: b"));
  EXPECT_NE(sentence.find("a ... a"), std::string::npos);
}

TEST(AsSentence, IsNeverCutInACharacter) {
  for (int shift = 0; shift < 4; ++shift) {
    std::string text(static_cast<std::size_t>(shift), 'a');
    for (int i = 0; i < 1000; ++i) text += "😀";
    for (int i = 0; i < shift; ++i) text += "b";
    EXPECT_TRUE(IsUtf8(AsSentence(text))) << shift;
  }
}

}  // namespace
}  // namespace gatehouse
