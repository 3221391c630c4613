#include "plugins/policy_engine/partner_domains.h"

#include "core/policy/domain_pattern.h"
#include "core/xmpp/jid.h"

namespace gatehouse::policy_engine {

PartnerDomains::PartnerDomains(const proto::FederationData& data) {
  for (const proto::Partner& partner : data.partners()) {
    const auto add = [&](const std::string& pattern) {
      const Result<std::string> base = PrepareDomain(BaseOf(pattern));
      if (!base) return;
      owners_.emplace(IsWildcard(pattern) ? std::string(kBelow) + *base : *base, partner.domain());
    };
    add(partner.domain());
    for (const std::string& domain : partner.additional_domains()) add(domain);
  }
}

std::string PartnerDomains::Of(std::string_view domain) const {
  if (const auto named = owners_.find(std::string(domain)); named != owners_.end())
    return named->second;
  const std::string* const above =
      NearestAbove(domain, [this](std::string_view base) -> const std::string* {
        const auto found = owners_.find(std::string(kBelow).append(base));
        return found == owners_.end() ? nullptr : &found->second;
      });
  return above == nullptr ? std::string() : *above;
}

}  // namespace gatehouse::policy_engine
