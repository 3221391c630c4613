// Any store content, as after an edit by hand: what is published is sound, whatever was stored.
#include <cstdint>
#include <cstdlib>

#include "core/base/result.h"
#include "core/policy/negotiation.h"
#include "core/policy/policy_view.h"
#include "plugins/policy_engine/snapshot_compiler.h"

namespace {

using gatehouse::PolicyView;

// Each partner that is enabled has a method, and its domain leads to it.
void CheckPublished(const PolicyView& policy) {
  GATEHOUSE_CHECK(policy.hash() == gatehouse::SnapshotHash(policy.snapshot()));
  for (const gatehouse::proto::Partner& partner : policy.snapshot().partners()) {
    if (partner.enabled())
      GATEHOUSE_CHECK(!gatehouse::PermittedMethods(gatehouse::RowOf(partner)).empty());
    GATEHOUSE_CHECK(partner.domain() != "contoso.example");
    const gatehouse::proto::Partner* found = policy.FindPartner(partner.domain());
    GATEHOUSE_CHECK(found == (partner.enabled() ? &partner : nullptr));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gatehouse::proto::PolicySnapshot stored;
  if (!stored.ParseFromArray(data, static_cast<int>(size))) return 0;
  gatehouse::policy_engine::StoreContent content;
  content.revision = stored.revision();
  *content.data.mutable_gateway() = stored.gateway();
  *content.data.mutable_partners() = stored.partners();
  auto compiled = gatehouse::policy_engine::CompilePolicy(content, {"contoso.example"});
  GATEHOUSE_CHECK(compiled.snapshot.partners_size() <= content.data.partners_size());
  CheckPublished(PolicyView(std::move(compiled.snapshot)));
  return 0;
}
