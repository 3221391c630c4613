#include "core/policy/policy_view.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

proto::PolicySnapshot OnePartner() {
  proto::PolicySnapshot snapshot;
  snapshot.set_revision(3);
  proto::Partner& partner = *snapshot.add_partners();
  partner.set_domain("partner.example");
  partner.add_additional_domains("chat.partner.example");
  partner.set_enabled(true);
  return snapshot;
}

TEST(PolicyView, FindsAPartnerByEachOfItsDomainsAndByNoOther) {
  const PolicyView view(OnePartner());
  ASSERT_NE(view.FindPartner("partner.example"), nullptr);
  EXPECT_EQ(view.FindPartner("partner.example"), view.FindPartner("chat.partner.example"));
  EXPECT_EQ(view.FindPartner("other.partner.example"), nullptr);
  EXPECT_EQ(view.FindPartner("example"), nullptr);
  EXPECT_EQ(view.FindPartner(""), nullptr);
}

TEST(PolicyView, DoesNotFindAPartnerThatIsSwitchedOff) {
  proto::PolicySnapshot snapshot = OnePartner();
  snapshot.mutable_partners(0)->set_enabled(false);
  EXPECT_EQ(PolicyView(std::move(snapshot)).FindPartner("partner.example"), nullptr);
}

TEST(PolicyView, GivesTheDomainOfOneThatIsSwitchedOffToNobodysWiderWildcard) {
  proto::PolicySnapshot snapshot = OnePartner();
  snapshot.mutable_partners(0)->add_additional_domains("*.lab.fabrikam.example");
  snapshot.mutable_partners(0)->set_enabled(false);
  proto::Partner& wide = *snapshot.add_partners();
  wide.set_domain("fabrikam.example");
  wide.add_additional_domains("*.example");
  wide.set_enabled(true);
  const PolicyView view(std::move(snapshot));
  EXPECT_EQ(view.FindPartner("partner.example"), nullptr);
  EXPECT_EQ(view.FindPartner("chat.partner.example"), nullptr);
  EXPECT_EQ(view.FindPartner("x.lab.fabrikam.example"), nullptr);
  EXPECT_EQ(view.WhyNoPartner("partner.example"), Reason::kPartnerDisabled);
  EXPECT_EQ(view.FindListed("partner.example")->domain(), "partner.example");
  EXPECT_NE(view.FindPartner("lab.fabrikam.example"), nullptr);
}

TEST(PolicyView, KnowsNoPartnerWhileFederationIsOff) {
  proto::PolicySnapshot snapshot = OnePartner();
  snapshot.mutable_gateway()->set_federation(proto::GatewaySettings::OFF);
  EXPECT_EQ(PolicyView(std::move(snapshot)).FindPartner("partner.example"), nullptr);
}

TEST(SnapshotHash, DependsOnTheContentAndNotOnTheHashItCarries) {
  proto::PolicySnapshot snapshot = OnePartner();
  const std::string hash = SnapshotHash(snapshot);
  EXPECT_EQ(hash.size(), 32U);
  snapshot.set_hash(hash);
  EXPECT_EQ(SnapshotHash(snapshot), hash);
  snapshot.mutable_partners(0)->set_dialback(true);
  EXPECT_NE(SnapshotHash(snapshot), hash);
}

}  // namespace
}  // namespace gatehouse
