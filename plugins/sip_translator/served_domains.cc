#include "plugins/sip_translator/served_domains.h"

#include <algorithm>

#include "core/address/ascii.h"
#include "core/sip/sip_uri.h"
#include "core/xmpp/jid.h"
#include "plugins/sip_translator/page_mode.h"

namespace gatehouse::translator {
namespace {

bool IsStreamHop(std::string_view next_hop) {
  const auto uri = SipUri::Parse(next_hop);
  if (!uri) return false;
  const std::string transport = ascii::Lower(uri->Param("transport").value_or(""));
  return uri->secure || transport == "tcp" || transport == "tls";
}

std::size_t PageModeMax(std::size_t configured, std::string_view next_hop) {
  if (configured == 0) return kPageModeMaxOctets;
  return IsStreamHop(next_hop) ? configured : std::min(configured, kPageModeMaxOctets);
}

}  // namespace

Result<ServedDomains> ServedDomains::Read(const proto::Config& config) {
  ServedDomains served;
  for (const proto::Domain& domain : config.domains()) {
    auto name = PrepareDomain(domain.name());
    if (!name)
      return BadConfig("domains: '" + domain.name() + "' is no domain: " + name.error().text);
    served.by_name_[*std::move(name)] = {
        domain.next_hop(), PageModeMax(config.sip().page_mode_max(), domain.next_hop())};
  }
  return served;
}

const ServedDomain* ServedDomains::Find(const std::string& domain) const {
  const auto found = by_name_.find(domain);
  return found == by_name_.end() ? nullptr : &found->second;
}

}  // namespace gatehouse::translator
