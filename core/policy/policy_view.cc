#include "core/policy/policy_view.h"

#include "core/tls/crypto.h"

namespace gatehouse {

std::string SnapshotHash(proto::PolicySnapshot snapshot) {
  snapshot.clear_hash();
  return Sha256(snapshot.SerializeAsString());
}

PolicyView::PolicyView(proto::PolicySnapshot snapshot) : snapshot_(std::move(snapshot)) {
  for (const std::string& domain : snapshot_.blocked_domains()) blocked_domains_.insert(domain);
  for (const proto::Partner& partner : snapshot_.partners()) {
    if (!partner.enabled()) continue;
    by_domain_.emplace(partner.domain(), &partner);
    for (const std::string& domain : partner.additional_domains())
      by_domain_.emplace(domain, &partner);
  }
}

const proto::Partner* PolicyView::FindPartner(std::string_view domain) const {
  const auto found = by_domain_.find(domain);
  return found == by_domain_.end() ? nullptr : found->second;
}

}  // namespace gatehouse
