#include "core/policy/partner_words.h"

#include <gtest/gtest.h>

#include "core/policy/partner_type.h"
#include "core/policy/negotiation.h"

namespace gatehouse {
namespace {

TEST(PartnerWords, GoThereAndBack) {
  for (const auto level : {proto::REQUIRED, proto::OPTIONAL, proto::NOT_SUPPORTED})
    EXPECT_EQ(ParseNegotiation(NegotiationWord(level)), level);
  for (const auto dane : {proto::OFF, proto::REPORT, proto::ENFORCE})
    EXPECT_EQ(ParseDane(DaneWord(dane)), dane);
  EXPECT_EQ(NegotiationWord(proto::NOT_SUPPORTED), "not-supported");
}

TEST(PartnerWords, AreNothingButTheseWords) {
  EXPECT_EQ(ParseNegotiation(""), std::nullopt);
  EXPECT_EQ(ParseNegotiation("require"), std::nullopt);
  EXPECT_EQ(NegotiationWord(static_cast<proto::Negotiation>(9)), "");
}

TEST(PartnerWords, TheDefaultPartnerIsRowOneOfTheMatrix) {
  const proto::Partner partner = DefaultPartner();
  EXPECT_EQ(RowNumber(RowOf(partner)), 1);
  EXPECT_EQ(partner.type(), kPublicUnverified);
  EXPECT_TRUE(partner.keep_alive());
  EXPECT_TRUE(partner.enabled());
  EXPECT_EQ(partner.connection_limit(), 0U);
  EXPECT_EQ(partner.dane(), proto::REPORT);
}

}  // namespace
}  // namespace gatehouse
