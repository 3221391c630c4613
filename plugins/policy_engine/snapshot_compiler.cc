#include "plugins/policy_engine/snapshot_compiler.h"

#include "core/policy/policy_view.h"
#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {

CompiledPolicy CompilePolicy(const StoreContent& content, const std::vector<std::string>& served) {
  CompiledPolicy compiled;
  proto::PolicySnapshot& snapshot = compiled.snapshot;
  snapshot.set_revision(content.revision);
  *snapshot.mutable_gateway() = content.data.gateway();
  snapshot.set_contacts_epoch(content.contacts_epoch);
  for (const std::string& domain : content.blocked_domains) snapshot.add_blocked_domains(domain);
  DomainOwners owners(served);
  for (const proto::Partner& stored : content.data.partners()) {
    Result<proto::Partner> partner = CheckPartner(stored, owners);
    if (!partner) {
      compiled.rejected.push_back({stored.domain(), partner.error().text});
      continue;
    }
    owners.Add(*partner);
    *snapshot.add_partners() = *std::move(partner);
  }
  snapshot.set_hash(SnapshotHash(snapshot));
  return compiled;
}

}  // namespace gatehouse::policy_engine
