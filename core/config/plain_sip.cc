#include "core/config/plain_sip.h"

#include <algorithm>

#include "proto/config.pb.h"

namespace gatehouse {

bool IsPeerNetwork(std::string_view peer) {
  return peer.find_first_of("/:") != std::string_view::npos ||
         peer.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool RefusesAllPlainSip(const proto::Config& config) {
  const auto is_plain = [](std::string_view address) { return !address.starts_with("tls:"); };
  return std::ranges::any_of(config.listen().sip(), is_plain) &&
         std::ranges::none_of(config.sip().trusted_peers(), IsPeerNetwork);
}

}  // namespace gatehouse
