#include "plugins/policy_engine/domain_owners.h"

#include <fmt/format.h>

#include "core/policy/domain_pattern.h"

namespace gatehouse::policy_engine {

DomainOwners::DomainOwners(const std::vector<std::string>& served, Remedy remedy,
                           const std::vector<std::string>& denied)
    : remedy_(remedy), served_(served), denied_(denied.begin(), denied.end()) {
  for (const std::string& domain : served) owner_of_.emplace(domain, Owner{{}, remedy});
}

void DomainOwners::Add(const proto::Partner& partner, std::optional<Remedy> remedy) {
  const Owner owner{partner.domain(), remedy.value_or(remedy_)};
  owner_of_.emplace(partner.domain(), owner);
  for (const std::string& domain : partner.additional_domains()) owner_of_.emplace(domain, owner);
}

std::string DomainOwners::DeniedBy(std::string_view domain) const {
  if (denied_.empty()) return {};
  if (denied_.contains(std::string(domain))) return std::string(domain);
  std::string pattern;
  NearestAbove(BaseOf(domain), [&](std::string_view base) {
    pattern = std::string(kBelow).append(base);
    return denied_.contains(pattern);
  });
  return denied_.contains(pattern) ? pattern : std::string();
}

std::string DomainOwners::WhyTaken(std::string_view domain, Place place) const {
  for (const std::string& own : served_)
    if (own != domain && Covers(domain, own))
      return fmt::format(
          "'{}' has our own domain '{}' below it; name the partner's domains one by one", domain,
          own);
  if (const std::string denied = DeniedBy(domain); !denied.empty())
    return remedy_ == Remedy::kInTheFile
               ? fmt::format("domain '{}' is on the deny list by '{}'; leave one of the two out",
                             domain, denied)
               : fmt::format(
                     "domain '{}' is on the deny list by '{}'; take that off first with: "
                     "gatehousectl partner undeny {}",
                     domain, denied, denied);
  const auto found = owner_of_.find(domain);
  if (found == owner_of_.end()) return {};
  const std::string& owner = found->second.partner;
  if (owner.empty())
    return fmt::format(
        "domain '{}' is one of our own (domains in gatehouse.yaml); a partner is somebody else's",
        domain);
  if (found->second.remedy == Remedy::kInTheFile)
    return fmt::format(
        "domain '{}' belongs to partner '{}' already; a domain has one partner, name it once",
        domain, owner);
  if (owner == domain && place == Place::kAdditional)
    return fmt::format(
        "the additional domain '{}' is a partner of its own; leave it out here, or take that "
        "partner out first with: gatehousectl partner remove {}",
        domain, domain);
  if (owner == domain)
    return fmt::format("partner '{}' exists already; change it with: gatehousectl partner set {}",
                       domain, domain);
  return fmt::format(
      "domain '{}' is an additional domain of partner '{}'; {}take it out there first with: "
      "gatehousectl partner set {} --additional-domains ...",
      domain, owner, place == Place::kAdditional ? "leave it out here, or " : "", owner);
}

}  // namespace gatehouse::policy_engine
