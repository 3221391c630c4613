#include "core/policy/refusal_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

class RefusalAnswer : public testing::Test {
 protected:
  RefusalAnswer() : policy_(Snapshot()) {}
  static proto::PolicySnapshot Snapshot() {
    proto::PolicySnapshot snapshot;
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_domain("partner.example");
    partner.add_additional_domains("*.partner.example");
    partner.set_enabled(true);
    snapshot.add_partners()->set_domain("off.example");
    snapshot.add_denied_domains("bad.partner.example");
    return snapshot;
  }
  std::string Refuse(const std::string& domain) {
    return memory_
        .Add(PlaceOf(&policy_, domain),
             {.remote_domain = domain, .from = domain, .reason = Reason::kUnknownPartner}, 1)
        .id;
  }
  int Found(const std::string& id, const std::string& partner) {
    proto::Why why;
    why.set_id(id);
    why.set_partner(partner);
    const proto::CtlResponse response = AnswerWhy(memory_, &policy_, why);
    EXPECT_EQ(response.exit_code(), 0U);
    EXPECT_TRUE(response.has_refusals());
    return response.refusals().refusals_size();
  }
  PolicyView policy_;
  RefusalMemory memory_;
};

TEST_F(RefusalAnswer, FindsAPartnersByAnyOfItsDomainsAndInAnySpelling) {
  Refuse("a.partner.example");
  EXPECT_EQ(Found("", "partner.example"), 1);
  EXPECT_EQ(Found("", "B.Partner.Example"), 1);
  EXPECT_EQ(Found("", "stranger.example"), 0);
}

TEST_F(RefusalAnswer, KeepsWhoIsDisabledOrDeniedUnderItsPartner) {
  EXPECT_EQ(PlaceOf(&policy_, "off.example"), "off.example");
  EXPECT_EQ(PlaceOf(&policy_, "bad.partner.example"), "partner.example");
  EXPECT_EQ(PlaceOf(&policy_, "stranger.example"), "");
  EXPECT_EQ(PlaceOf(nullptr, "partner.example"), "");
}

TEST_F(RefusalAnswer, FindsAStrangersByItsDomain) {
  Refuse("stranger.example");
  Refuse("other.example");
  EXPECT_EQ(Found("", "stranger.example"), 1);
}

TEST_F(RefusalAnswer, GivesOneByItsIdAndAllWhereNothingIsAsked) {
  const std::string id = Refuse("stranger.example");
  Refuse("partner.example");
  EXPECT_EQ(Found(id, ""), 1);
  EXPECT_EQ(Found("nosuchid", ""), 0);
  EXPECT_EQ(Found("", ""), 2);
}

}  // namespace
}  // namespace gatehouse
