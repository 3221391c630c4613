// What is counted where SIP peers are refused that nobody named in sip.trusted_peers, for `status`.
#pragma once

#include <string_view>

namespace gatehouse {

// Of sip_translator: requests by tcp and udp, and connections by TLS.
inline constexpr std::string_view kUntrustedPeersMetric = "gatehouse_sip_untrusted_refused_total";
// When the last one was; Unix time.
inline constexpr std::string_view kLastUntrustedPeerMetric =
    "gatehouse_sip_untrusted_refused_unix_seconds";

}  // namespace gatehouse
