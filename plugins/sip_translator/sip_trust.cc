#include "plugins/sip_translator/sip_trust.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/one_line.h"
#include "core/base/utf8_check.h"
#include "core/config/plain_sip.h"
#include "core/policy/peer_notice.h"
#include "core/tls/tls_session.h"
#include "proto/config.pb.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxShownNames = 8;

}  // namespace

Result<SipTrust> SipTrust::Create(const proto::Config& config) {
  SipTrust trust;
  for (const std::string& peer : config.sip().trusted_peers()) {
    if (!IsPeerNetwork(peer)) {
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

std::string ShownNames(const PeerCertificate& certificate) {
  std::vector<std::string> names = certificate.dns_names;
  names.insert(names.end(), certificate.uris.begin(), certificate.uris.end());
  if (names.empty() && !certificate.common_name.empty())
    names.push_back("CN=" + certificate.common_name);
  const bool more = names.size() > kMaxShownNames;
  if (more) names.resize(kMaxShownNames);
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (more) text += ", ...";
  return AsSentence(AsUtf8(text));
}

std::string RemedyForPeer(const SocketAddress& peer) {
  return fmt::format(
      "where it is a SIP server of yours, add \"{}\" or its network to "
      "sip.trusted_peers in gatehouse.yaml and reload",
      peer.Ip());
}

std::string RemedyForPeer(const PeerCertificate& certificate) {
  if (!certificate.presented)
    return "where it is a SIP server of yours, let it show a certificate on connections it opens, "
           "and add that one's name to sip.trusted_peers in gatehouse.yaml";
  if (!certificate.chain_valid)
    return "where it is a SIP server of yours, give it a certificate for clients too (clientAuth) "
           "by an authority in tls.trust";
  return "where it is a SIP server of yours, add one of the names it shows to sip.trusted_peers in "
         "gatehouse.yaml and reload";
}

void CountUntrustedPeer(Metrics& metrics) {
  metrics.Value(kUntrustedPeersMetric) += 1;
  metrics.Value(kLastUntrustedPeerMetric) = static_cast<double>(UnixNow());
}

}  // namespace gatehouse
