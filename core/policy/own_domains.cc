#include "core/policy/own_domains.h"

#include <fmt/format.h>

#include <utility>

#include "core/xmpp/jid.h"

namespace gatehouse {

Result<std::vector<std::string>> OwnDomains(const proto::Config& config) {
  std::vector<std::string> domains;
  for (const proto::Domain& domain : config.domains()) {
    auto prepared = PrepareDomain(domain.name());
    if (!prepared)
      return BadConfig(fmt::format("domains: '{}': {}", domain.name(), prepared.error().text));
    domains.push_back(*std::move(prepared));
  }
  if (domains.empty()) return BadConfig("domains: at least one domain is needed");
  return domains;
}

}  // namespace gatehouse
