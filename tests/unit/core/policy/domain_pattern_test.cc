#include "core/policy/domain_pattern.h"

#include <gtest/gtest.h>

#include "core/policy/policy_view.h"

namespace gatehouse {
namespace {

TEST(DomainPattern, AWildcardIsWhatIsBelowItsBaseAndNotTheBase) {
  EXPECT_TRUE(Covers("*.fabrikam.example", "chat.fabrikam.example"));
  EXPECT_TRUE(Covers("*.fabrikam.example", "a.b.fabrikam.example"));
  EXPECT_TRUE(Covers("*.fabrikam.example", "*.b.fabrikam.example"));
  EXPECT_TRUE(Covers("fabrikam.example", "fabrikam.example"));
  EXPECT_FALSE(Covers("*.fabrikam.example", "fabrikam.example"));
  EXPECT_FALSE(Covers("*.fabrikam.example", "xfabrikam.example"));
  EXPECT_FALSE(Covers("*.fabrikam.example", ".fabrikam.example"));
  EXPECT_FALSE(Covers("fabrikam.example", "chat.fabrikam.example"));
  EXPECT_FALSE(Covers("*.a.fabrikam.example", "*.fabrikam.example"));
}

void AddPartner(proto::PolicySnapshot& snapshot, const std::string& domain,
                const std::string& pattern) {
  proto::Partner& partner = *snapshot.add_partners();
  partner.set_domain(domain);
  partner.add_additional_domains(pattern);
  partner.set_enabled(true);
}

TEST(DomainPattern, ExactBeatsWildcardAndLongerBeatsShorterInAPolicy) {
  proto::PolicySnapshot snapshot;
  AddPartner(snapshot, "fabrikam.example", "*.fabrikam.example");
  AddPartner(snapshot, "lab.fabrikam.example", "*.lab.fabrikam.example");
  snapshot.add_denied_domains("bad.fabrikam.example");
  snapshot.add_denied_domains("*.worse.lab.fabrikam.example");
  const PolicyView view(std::move(snapshot));
  const auto owner = [&](std::string_view domain) {
    const proto::Partner* partner = view.FindPartner(domain);
    return partner == nullptr ? std::string() : partner->domain();
  };
  EXPECT_EQ(owner("fabrikam.example"), "fabrikam.example");
  EXPECT_EQ(owner("chat.fabrikam.example"), "fabrikam.example");
  EXPECT_EQ(owner("a.b.fabrikam.example"), "fabrikam.example");
  EXPECT_EQ(owner("lab.fabrikam.example"), "lab.fabrikam.example");
  EXPECT_EQ(owner("x.lab.fabrikam.example"), "lab.fabrikam.example");
  EXPECT_EQ(owner("xfabrikam.example"), "");
  EXPECT_EQ(owner("bad.fabrikam.example"), "") << "denied before anything else";
  EXPECT_EQ(owner("x.bad.fabrikam.example"), "fabrikam.example");
  EXPECT_EQ(owner("worse.lab.fabrikam.example"), "lab.fabrikam.example");
  EXPECT_EQ(owner("x.worse.lab.fabrikam.example"), "");
}

}  // namespace
}  // namespace gatehouse
