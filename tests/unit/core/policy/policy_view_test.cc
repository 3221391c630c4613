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
