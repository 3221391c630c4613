#include "plugins/policy_engine/snapshot_compiler.h"

#include "core/policy/policy_view.h"
#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {

CompiledPolicy CompilePolicy(const StoreContent& content, const std::vector<std::string>& served,
                             std::int64_t now_unix) {
  CompiledPolicy compiled;
  proto::PolicySnapshot& snapshot = compiled.snapshot;
  snapshot.set_revision(content.revision);
  *snapshot.mutable_gateway() = content.data.gateway();
  snapshot.set_contacts_epoch(content.contacts_epoch);
  for (const std::string& domain : content.blocked_domains) snapshot.add_blocked_domains(domain);
  *snapshot.mutable_access_policies() = content.data.policies();
  for (const proto::DeniedDomain& denied : content.data.denied())
    snapshot.add_denied_domains(denied.domain());
  DomainOwners owners(served);
  for (const proto::Partner& stored : content.data.partners()) {
    Result<proto::Partner> partner = CheckPartner(stored, owners);
    if (!partner) {
      compiled.rejected.push_back({stored.domain(), partner.error().text});
      continue;
    }
    owners.Add(*partner);
    // So that who reads it can tell the one from the other.
    if (!partner->enabled()) partner->clear_expires_unix();
    const auto expires = static_cast<std::int64_t>(partner->expires_unix());
    if (IsExpired(*partner, now_unix))
      partner->set_enabled(false);
    else if (expires != 0 &&
             (compiled.next_expiry_unix == 0 || expires < compiled.next_expiry_unix))
      compiled.next_expiry_unix = expires;
    *snapshot.add_partners() = *std::move(partner);
  }
  snapshot.set_hash(SnapshotHash(snapshot));
  return compiled;
}

}  // namespace gatehouse::policy_engine
