#include "core/policy/policy_view.h"

#include "core/policy/domain_pattern.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

template <class Index>
typename Index::mapped_type Find(const Index& index, std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

// The first answer that is true for what `domain` is below, the nearest first; else an empty one.
template <class Ask>
auto NearestAbove(std::string_view domain, Ask ask) {
  for (std::size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.')) {
    domain.remove_prefix(dot + 1);
    if (auto answer = ask(domain)) return answer;
  }
  return decltype(ask(domain)){};
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
    for (const std::string& domain : policy.domains()) by_own_domain_.emplace(domain, &policy);
  }
  for (const std::string& domain : snapshot_.denied_domains())
    (IsWildcard(domain) ? denied_below_ : denied_).insert(BaseOf(domain));
  if (snapshot_.gateway().federation() == proto::GatewaySettings::OFF) return;
  for (const proto::Partner& partner : snapshot_.partners()) {
    if (!partner.enabled()) continue;
    by_domain_.emplace(partner.domain(), &partner);
    for (const std::string& domain : partner.additional_domains())
      (IsWildcard(domain) ? by_base_ : by_domain_).emplace(BaseOf(domain), &partner);
  }
}

const proto::Partner* PolicyView::FindPartner(std::string_view domain) const {
  if (IsDenied(domain)) return nullptr;
  if (const proto::Partner* partner = Find(by_domain_, domain)) return partner;
  if (by_base_.empty()) return nullptr;
  return NearestAbove(domain, [this](std::string_view base) { return Find(by_base_, base); });
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
