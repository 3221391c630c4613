// SIP peers that come by TCP or UDP prove no name: sip.trusted_peers has to have their network.
#pragma once

#include <string_view>

namespace gatehouse {

namespace proto {
class Config;
}

// Whether an entry of sip.trusted_peers is a source network, for udp and tcp: "192.0.2.0/24",
// "192.0.2.7", "2001:db8::/64"; anything else is a name for certificates. It may be a bad one.
[[nodiscard]] bool IsPeerNetwork(std::string_view peer);

// listen.sip has tcp: or udp:, and sip.trusted_peers no network: each request there is refused.
[[nodiscard]] bool RefusesAllPlainSip(const proto::Config& config);
inline constexpr std::string_view kRefusesAllPlainSip =
    "has no network, so that each request that comes to the tcp: and udp: addresses of listen.sip "
    "is refused; add the addresses of your SIP servers, such as \"192.0.2.7\" or \"192.0.2.0/24\", "
    "or listen with tls: only";

}  // namespace gatehouse
