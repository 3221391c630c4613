#include "core/policy/policy_view.h"

#include "core/policy/domain_pattern.h"
#include "core/policy/negotiation.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

template <class Index>
typename Index::mapped_type Find(const Index& index, std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace

std::string SnapshotHash(proto::PolicySnapshot snapshot) {
  snapshot.clear_hash();
  return Sha256(snapshot.SerializeAsString());
}

PolicyView::PolicyView(proto::PolicySnapshot snapshot) : snapshot_(std::move(snapshot)) {
  for (const std::string& domain : snapshot_.blocked_domains()) blocked_domains_.insert(domain);
  for (const proto::AccessPolicy& policy : snapshot_.access_policies()) {
    if (policy.name() == kGlobalPolicy) global_ = &policy;
    for (const std::string& user : policy.users()) by_user_.emplace(user, &policy);
    for (const std::string& pattern : policy.patterns()) by_pattern_.Add(pattern, policy);
    for (const std::string& domain : policy.domains()) by_own_domain_.emplace(domain, &policy);
  }
  by_pattern_.Seal();
  for (const std::string& domain : snapshot_.denied_domains())
    (IsWildcard(domain) ? denied_below_ : denied_).insert(BaseOf(domain));
  for (const proto::Partner& partner : snapshot_.partners()) listed_.Add(partner);
  for (const proto::PartnerType& type : snapshot_.partner_types())
    types_.emplace(type.name(), &type);
}

void PolicyView::Partners::Add(const proto::Partner& partner) {
  if (!partner.domain().empty()) by_domain.emplace(partner.domain(), &partner);
  for (const std::string& domain : partner.additional_domains())
    (IsWildcard(domain) ? by_base : by_domain).emplace(BaseOf(domain), &partner);
}

const proto::Partner* PolicyView::Partners::Find(std::string_view domain) const {
  if (const proto::Partner* partner = gatehouse::Find(by_domain, domain)) return partner;
  if (by_base.empty()) return nullptr;
  return NearestAbove(domain,
                      [this](std::string_view base) { return gatehouse::Find(by_base, base); });
}

const proto::Partner* PolicyView::FindPartner(std::string_view domain) const {
  if (IsOff() || IsDenied(domain)) return nullptr;
  const proto::Partner* partner = FindListed(domain);
  return partner != nullptr && partner->enabled() ? partner : nullptr;
}

const proto::Partner* PolicyView::FindListed(std::string_view domain) const {
  return listed_.Find(domain);
}

Reason PolicyView::WhyNoPartner(std::string_view domain) const {
  if (IsOff()) return Reason::kFederationOff;
  if (IsDenied(domain)) return Reason::kDomainDenied;
  const proto::Partner* partner = FindListed(domain);
  if (partner == nullptr) return Reason::kUnknownPartner;
  // Nobody can store such a row: it stands for one that the engine has left out.
  if (PermittedMethods(RowOf(*partner)).empty()) return Reason::kPartnerInvalid;
  return partner->expires_unix() != 0 ? Reason::kPartnerExpired : Reason::kPartnerDisabled;
}

Permissions PolicyView::PermissionsOf(std::string_view type) const {
  if (const PresetType* preset = FindPreset(type)) return preset->permissions;
  const proto::PartnerType* own = Find(types_, type);
  return own == nullptr ? Permissions{} : gatehouse::PermissionsOf(*own);
}

bool PolicyView::IsDenied(std::string_view domain) const {
  if (denied_.contains(domain)) return true;
  if (denied_below_.empty()) return false;
  return NearestAbove(domain,
                      [this](std::string_view base) { return denied_below_.contains(base); });
}

const proto::AccessPolicy* PolicyView::PolicyOfUser(std::string_view user) const {
  return Find(by_user_, user);
}

const proto::AccessPolicy* PolicyView::PolicyOfDomain(std::string_view domain) const {
  return Find(by_own_domain_, domain);
}

}  // namespace gatehouse
