// Whom the SIP side listens to. Pure. 11.8
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/loop/socket_address.h"

namespace gatehouse {

struct PeerCertificate;
namespace proto {
class Config;
}  // namespace proto

class SipTrust {
 public:
  // trusted_peers: an entry that reads as an address or CIDR is a source network for udp and tcp,
  // anything else is a name for certificates. Fails (kConfig) on an entry that looks like a network
  // and is none.
  static Result<SipTrust> Create(const proto::Config& config);

  [[nodiscard]] bool TrustsAddress(const SocketAddress& address) const;
  // The trusted name that `certificate` proves; no wildcard, no suffix. nullopt: none. RFC 5922 §7
  [[nodiscard]] std::optional<std::string_view> TrustedName(
      const PeerCertificate& certificate) const;

 private:
  std::vector<Network> networks_;
  std::vector<std::string> names_;
};

// The names a certificate shows, for an operator: "a.example, sip:b.example", or "CN=a.example"
// where it has no other; empty: none.
[[nodiscard]] std::string ShownNames(const PeerCertificate& certificate);

// What to do where somebody is refused who should not be: by tcp or udp, and by TLS.
[[nodiscard]] std::string RemedyForPeer(const SocketAddress& peer);
[[nodiscard]] std::string RemedyForPeer(const PeerCertificate& certificate);

// One that was refused, for `status`.
void CountUntrustedPeer(Metrics& metrics);

}  // namespace gatehouse
