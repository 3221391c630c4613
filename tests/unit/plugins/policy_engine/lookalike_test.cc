#include "plugins/policy_engine/lookalike.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

TEST(Lookalikes, ADomainWithTheSkeletonOfAnotherIsNamed) {
  const Lookalikes lookalikes({"fabrikam.example", "contoso.example"});
  EXPECT_THAT(lookalikes.WhyLike("fabrikarn.example"), HasSubstr("looks like 'fabrikam.example'"));
  EXPECT_THAT(lookalikes.WhyLike("\u0441\u043entoso.example"), HasSubstr("mixes scripts"));
  EXPECT_THAT(Lookalikes({"\u0430\u0441\u0435.example"}).WhyLike("ace.example"),
              HasSubstr("looks like"));
  EXPECT_EQ(lookalikes.WhyLike("fabrikam.example"), "") << "it is that one";
}

TEST(Lookalikes, OthersPassInWhateverScript) {
  const Lookalikes lookalikes({"fabrikam.example"});
  for (const char* domain :
       {"northwind.example", "b\u00fccher.example", "\u043f\u0440\u0438\u043c\u0435\u0440.example",
        "\u4f8b\u3048.example", "chat.fabrikam.example", "fabrikam2.example"})
    EXPECT_EQ(lookalikes.WhyLike(domain), "") << domain;
}

}  // namespace
}  // namespace gatehouse::policy_engine
