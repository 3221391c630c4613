#include "plugins/sip_translator/sip_trust.h"

#include <algorithm>

#include "core/tls/tls_session.h"
#include "proto/config.pb.h"

namespace gatehouse {

Result<SipTrust> SipTrust::Create(const proto::Config& config) {
  SipTrust trust;
  for (const std::string& peer : config.sip().trusted_peers()) {
    const bool network = peer.find_first_of("/:") != std::string::npos ||
                         peer.find_first_not_of("0123456789.") == std::string::npos;
    if (!network) {
      trust.names_.push_back(peer);
      continue;
    }
    auto parsed = Network::Parse(peer);
    if (!parsed)
      return BadConfig("sip: trusted_peers: '" + peer + "' is neither a name nor a network");
    trust.networks_.push_back(*std::move(parsed));
  }
  return trust;
}

bool SipTrust::TrustsAddress(const SocketAddress& address) const {
  return std::ranges::any_of(networks_,
                             [&](const Network& network) { return network.Contains(address); });
}

std::optional<std::string_view> SipTrust::TrustedName(const PeerCertificate& certificate) const {
  const auto found = std::ranges::find_if(
      names_, [&](const std::string& name) { return MatchesSipName(certificate, name); });
  if (!certificate.chain_valid || found == names_.end()) return std::nullopt;
  return *found;
}

}  // namespace gatehouse
