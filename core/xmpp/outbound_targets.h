// Where to connect for a domain: SRV records merged and ordered (3.1, 3.2), and where never to
// connect. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/loop/dns_lookup.h"
#include "core/loop/socket_address.h"

namespace gatehouse {

inline constexpr std::uint16_t kServerPort = 5269;  // RFC 6120 §3.2.2
inline constexpr std::size_t kMaxTargets = 8;       // 3.2

// A uniform random number in [0, below); `below` is at least 1.
using RandomBelow = std::function<std::uint32_t(std::uint32_t below)>;
[[nodiscard]] RandomBelow SystemRandom();  // from the OS

struct OutboundTarget {
  std::string host;  // A-label form
  std::uint16_t port = kServerPort;
  bool direct_tls = false;  // from _xmpps-server
  bool secure = false;      // its SRV records are validated (RFC 7673 §3.1)
  bool operator==(const OutboundTarget&) const = default;
};

struct TargetPlan {
  enum class Kind : std::uint8_t {
    kTargets,   // try them in this order
    kNotFound,  // the domain decidedly offers no service
    kTrouble,   // no fact known; no fallback
  };
  Kind kind = Kind::kTrouble;
  std::vector<OutboundTarget> targets;  // at most kMaxTargets
  bool from_srv = false;                // false: the fallback to the domain's own addresses
};

// `domain` is in A-label form. For a row without TLS give `xmpps_server` as kNoData: its records
// are ignored (3.1 no. 2).
[[nodiscard]] TargetPlan PlanTargets(std::string_view domain,
                                     const DnsAnswer<SrvRecord>& xmpp_server,
                                     const DnsAnswer<SrvRecord>& xmpps_server,
                                     const RandomBelow& random);

// False for an IP literal and a single label: such a domain is never looked up (3.1).
[[nodiscard]] bool MayResolve(std::string_view domain);

// Whether "HOST", "HOST:PORT", "[::1]:5269" has a port.
[[nodiscard]] bool NamesItsPort(std::string_view host);

// A partner's proxy "HOST" or "HOST:PORT", "[::1]:5269" (3.1 no. 1). Fails with the text as given.
Result<OutboundTarget> ProxyTarget(std::string_view proxy);

// Keeps us from connecting to ourselves, and a peer's DNS from aiming us at this machine (3.1, 12.4
// D8).
class TargetGuard {
 public:
  TargetGuard() = default;
  // `own`: where this edge listens, wildcards included.
  TargetGuard(std::vector<SocketAddress> own, bool allow_loopback)
      : own_(std::move(own)), allow_loopback_(allow_loopback) {}
  [[nodiscard]] bool MayConnect(const SocketAddress& to) const;
  // For listeners on a wildcard address: a connection whose two ends have one address came back to
  // this machine.
  [[nodiscard]] bool IsOurselves(const SocketAddress& local, const SocketAddress& peer) const;

 private:
  std::vector<SocketAddress> own_;
  bool allow_loopback_ = false;
};

}  // namespace gatehouse
