#include "plugins/policy_engine/snapshot_compiler.h"

#include <algorithm>

#include "core/policy/domain_pattern.h"
#include "core/policy/expiry.h"
#include "core/policy/policy_view.h"
#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {

namespace {

// What a rejected partner is published as: its domains are nobody else's by a wider wildcard, and
// no row of 4.2 lets anybody use them. Empty where all of them are an accepted partner's or ours.
proto::Partner HeldBack(const proto::Partner& stored, const DomainOwners& owners,
                        const std::vector<std::string>& served) {
  proto::Partner partner;
  partner.set_id(stored.id());
  partner.set_sasl(proto::NOT_SUPPORTED);
  const auto free = [&](const std::string& domain) {
    const Result<std::string> prepared = CheckDenied(domain, served);
    return prepared && owners.WhyTaken(*prepared).empty() ? *prepared : std::string();
  };
  if (std::string domain = free(stored.domain()); !IsWildcard(domain))
    partner.set_domain(std::move(domain));
  for (const std::string& additional : stored.additional_domains())
    if (std::string domain = free(additional); !domain.empty())
      partner.add_additional_domains(std::move(domain));
  return partner;
}

bool LetsSomebody(const proto::AccessPolicy& policy) {
  const bool reaches = policy.name() == kGlobalPolicy || policy.users_size() > 0 ||
                       policy.patterns_size() > 0 || policy.domains_size() > 0;
  return policy.xmpp_access() && reaches;
}

}  // namespace

CompiledPolicy CompilePolicy(const StoreContent& content, const std::vector<std::string>& served,
                             std::int64_t now_unix, const std::function<void()>& still_busy) {
  CompiledPolicy compiled;
  proto::PolicySnapshot& snapshot = compiled.snapshot;
  snapshot.set_revision(content.revision);
  *snapshot.mutable_gateway() = content.data.gateway();
  snapshot.set_contacts_epoch(content.contacts_epoch);
  for (const std::string& domain : content.blocked_domains) snapshot.add_blocked_domains(domain);
  *snapshot.mutable_partner_types() = content.data.partner_types();
  *snapshot.mutable_access_policies() = content.data.policies();
  for (const proto::DeniedDomain& denied : content.data.denied())
    snapshot.add_denied_domains(denied.domain());
  compiled.nobody_may = !content.data.partners().empty() &&
                        std::ranges::none_of(content.data.policies(), LetsSomebody);
  DomainOwners owners(served);
  std::vector<const proto::Partner*> rejected;
  for (const proto::Partner& stored : content.data.partners()) {
    still_busy();
    Result<proto::Partner> partner = CheckPartner(stored, owners, content.data.partner_types());
    if (!partner) {
      compiled.rejected.push_back({stored.domain(), partner.error().text});
      rejected.push_back(&stored);
      continue;
    }
    owners.Add(*partner);
    // So that who reads it can tell the one from the other.
    if (!partner->enabled()) partner->clear_expires_unix();
    *snapshot.add_partners() = *std::move(partner);
  }
  for (const proto::Partner* stored : rejected) {
    proto::Partner partner = HeldBack(*stored, owners, served);
    if (partner.domain().empty() && partner.additional_domains().empty()) continue;
    owners.Add(partner);
    *snapshot.add_partners() = std::move(partner);
  }
  DisableExpired(snapshot, now_unix);
  compiled.next_expiry_unix = NextExpiry(snapshot);
  snapshot.set_hash(SnapshotHash(snapshot));
  return compiled;
}

}  // namespace gatehouse::policy_engine
