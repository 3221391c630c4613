#include "plugins/policy_engine/snapshot_compiler.h"

#include <gtest/gtest.h>

#include "core/policy/expiry.h"
#include "core/policy/partner_words.h"
#include "core/policy/policy_view.h"

namespace gatehouse::policy_engine {
namespace {

StoreContent TwoPartners() {
  StoreContent content;
  content.revision = 5;
  *content.data.mutable_gateway() = DefaultGatewaySettings();
  for (const char* domain : {"a.example", "b.example"}) {
    proto::Partner partner = DefaultPartner();
    partner.set_id(domain);
    partner.set_domain(domain);
    *content.data.add_partners() = partner;
  }
  return content;
}

TEST(SnapshotCompiler, GivesTheSameHashForTheSameContent) {
  const CompiledPolicy once = CompilePolicy(TwoPartners(), {"contoso.example"});
  const CompiledPolicy again = CompilePolicy(TwoPartners(), {"contoso.example"});
  EXPECT_EQ(once.snapshot.hash().size(), 32U);
  EXPECT_EQ(once.snapshot.hash(), again.snapshot.hash());
  EXPECT_EQ(once.snapshot.hash(), SnapshotHash(once.snapshot));
}

TEST(SnapshotCompiler, GivesAnotherHashForAnyOtherContent) {
  const std::string hash = CompilePolicy(TwoPartners(), {}).snapshot.hash();
  StoreContent dialback = TwoPartners();
  dialback.data.mutable_partners(0)->set_dialback(false);
  EXPECT_NE(CompilePolicy(dialback, {}).snapshot.hash(), hash);
  StoreContent gateway = TwoPartners();
  gateway.data.mutable_gateway()->set_connection_limit(999);
  EXPECT_NE(CompilePolicy(gateway, {}).snapshot.hash(), hash);
  StoreContent fewer = TwoPartners();
  fewer.data.mutable_partners()->RemoveLast();
  EXPECT_NE(CompilePolicy(fewer, {}).snapshot.hash(), hash);
}

TEST(SnapshotCompiler, LeavesOutAndNamesWhatBreaksARule) {
  StoreContent content = TwoPartners();
  content.data.mutable_partners(1)->set_sasl(proto::NOT_SUPPORTED);
  content.data.mutable_partners(1)->set_dialback(false);
  const CompiledPolicy compiled = CompilePolicy(content, {});
  ASSERT_EQ(compiled.snapshot.partners_size(), 2);
  EXPECT_EQ(compiled.snapshot.partners(0).domain(), "a.example");
  EXPECT_EQ(compiled.snapshot.partners(1).domain(), "b.example");
  EXPECT_FALSE(compiled.snapshot.partners(1).enabled());
  const PolicyView view(compiled.snapshot);
  EXPECT_EQ(view.FindPartner("b.example"), nullptr);
  EXPECT_EQ(view.WhyNoPartner("b.example"), Reason::kPartnerInvalid) << "not: enable it";
  ASSERT_EQ(compiled.rejected.size(), 1U);
  EXPECT_EQ(compiled.rejected[0].domain, "b.example");
  EXPECT_EQ(compiled.rejected[0].why.substr(0, 4), "E2: ");
}

TEST(SnapshotCompiler, GivesNoDomainOfARejectedPartnerToAnybodysWiderWildcard) {
  StoreContent content = TwoPartners();
  content.data.mutable_partners(0)->add_additional_domains("*.fabrikam.example");
  content.data.mutable_partners(0)->add_additional_domains("open.lab.fabrikam.example");
  proto::Partner& broken = *content.data.mutable_partners(1);
  broken.set_domain("lab.fabrikam.example");
  for (const char* domain : {"*.lab.fabrikam.example", "open.lab.fabrikam.example", "a b", "*."})
    broken.add_additional_domains(domain);
  const PolicyView view(CompilePolicy(content, {"contoso.example"}).snapshot);
  EXPECT_EQ(view.FindPartner("lab.fabrikam.example"), nullptr);
  EXPECT_EQ(view.FindPartner("x.lab.fabrikam.example"), nullptr);
  ASSERT_NE(view.FindPartner("open.lab.fabrikam.example"), nullptr) << "an accepted one owns it";
  EXPECT_NE(view.FindPartner("chat.fabrikam.example"), nullptr);
}

TEST(SnapshotCompiler, TellsWhoHasExpiredFromWhoIsDisabled) {
  constexpr std::int64_t kNow = 1000;
  StoreContent content = TwoPartners();
  content.data.mutable_partners(0)->set_expires_unix(kNow - 1);
  content.data.mutable_partners(1)->set_expires_unix(kNow - 1);
  content.data.mutable_partners(1)->set_enabled(false);
  const PolicyView view(CompilePolicy(content, {}, kNow).snapshot);
  EXPECT_EQ(view.WhyNoPartner("a.example"), Reason::kPartnerExpired);
  EXPECT_EQ(view.WhyNoPartner("b.example"), Reason::kPartnerDisabled);
  EXPECT_EQ(view.WhyNoPartner("c.example"), Reason::kUnknownPartner);
}

// A worker whose engine was dead comes to the same, so that the engine's next one is no news.
TEST(SnapshotCompiler, PublishesOfWhatExpiresWhatAWorkerMakesOfItByItself) {
  StoreContent content = TwoPartners();
  content.data.mutable_partners(0)->set_expires_unix(1000);
  content.data.mutable_partners(1)->set_expires_unix(2000);
  const CompiledPolicy before = CompilePolicy(content, {}, 999);
  EXPECT_EQ(before.next_expiry_unix, 1000);
  const CompiledPolicy after = CompilePolicy(content, {}, 1000);
  EXPECT_EQ(after.next_expiry_unix, 2000);
  proto::PolicySnapshot held = before.snapshot;
  DisableExpired(held, 1000);
  EXPECT_EQ(SnapshotHash(held), after.snapshot.hash());
}

TEST(SnapshotCompiler, LeavesOutAPartnerWhoseDomainHasBecomeOurs) {
  const CompiledPolicy compiled = CompilePolicy(TwoPartners(), {"a.example"});
  ASSERT_EQ(compiled.snapshot.partners_size(), 1);
  EXPECT_EQ(compiled.snapshot.partners(0).domain(), "b.example");
  EXPECT_NE(CompilePolicy(TwoPartners(), {}).snapshot.hash(), compiled.snapshot.hash());
}

TEST(SnapshotCompiler, PublishesPartnersThatAreSwitchedOffToo) {
  StoreContent content = TwoPartners();
  content.data.mutable_partners(0)->set_enabled(false);
  EXPECT_EQ(CompilePolicy(content, {}).snapshot.partners_size(), 2);
}

}  // namespace
}  // namespace gatehouse::policy_engine
