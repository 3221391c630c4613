#include "core/policy/reasons.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace gatehouse {
namespace {

TEST(Reasons, HaveACodeOfTheirOwnAndASentence) {
  std::set<std::string_view> codes{ReasonCode(Reason::kNone)};
  for (const ReasonEntry& entry : Reasons()) {
    EXPECT_TRUE(codes.insert(entry.code).second) << entry.code;
    EXPECT_TRUE(std::ranges::all_of(entry.code, [](char c) {
      return (c >= 'a' && c <= 'z') || c == '-';
    })) << entry.code;
    EXPECT_FALSE(entry.sentence.empty()) << entry.code;
    EXPECT_EQ(&EntryOf(entry.reason), &entry);
  }
  EXPECT_EQ(codes.size(), ReasonCount());
}

// Whoever may not write to a user must not learn from the words whether there is one (5.3).
TEST(Reasons, TellABlockedContactNoMoreThanAnUnlistedOne) {
  EXPECT_EQ(EntryOf(Reason::kContactBlocked).told, EntryOf(Reason::kContactNotAuthorised).told);
}

TEST(Reasons, GiveANumberWithoutAnEntryNoWords) {
  EXPECT_EQ(ReasonCode(static_cast<Reason>(200)), "none");
}

}  // namespace
}  // namespace gatehouse
