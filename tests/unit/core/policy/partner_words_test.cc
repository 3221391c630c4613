#include "core/policy/partner_words.h"

#include <gtest/gtest.h>

#include "core/policy/negotiation.h"

namespace gatehouse {
namespace {

TEST(PartnerWords, GoThereAndBack) {
  for (const auto type : {proto::PUBLIC_UNVERIFIED, proto::PUBLIC_VERIFIED, proto::FEDERATED})
    EXPECT_EQ(ParsePartnerType(PartnerTypeWord(type)), type);
  for (const auto level : {proto::REQUIRED, proto::OPTIONAL, proto::NOT_SUPPORTED})
    EXPECT_EQ(ParseNegotiation(NegotiationWord(level)), level);
  for (const auto dane : {proto::OFF, proto::REPORT, proto::ENFORCE})
    EXPECT_EQ(ParseDane(DaneWord(dane)), dane);
  EXPECT_EQ(PartnerTypeWord(proto::FEDERATED), "federated");
  EXPECT_EQ(NegotiationWord(proto::NOT_SUPPORTED), "not-supported");
}

TEST(PartnerWords, AreNothingButTheseWords) {
  EXPECT_EQ(ParsePartnerType("Federated"), std::nullopt);
  EXPECT_EQ(ParseNegotiation(""), std::nullopt);
  EXPECT_EQ(ParseNegotiation("require"), std::nullopt);
  EXPECT_EQ(NegotiationWord(static_cast<proto::Negotiation>(9)), "");
}

TEST(PartnerWords, TheDefaultPartnerIsRowOneOfTheMatrix) {
  const proto::Partner partner = DefaultPartner();
  EXPECT_EQ(RowNumber(RowOf(partner)), 1);
  EXPECT_EQ(partner.type(), proto::PUBLIC_UNVERIFIED);
  EXPECT_TRUE(partner.keep_alive());
  EXPECT_TRUE(partner.enabled());
  EXPECT_EQ(partner.connection_limit(), 0U);
  EXPECT_EQ(partner.dane(), proto::REPORT);
}

}  // namespace
}  // namespace gatehouse
