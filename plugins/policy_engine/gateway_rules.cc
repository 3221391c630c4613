#include "plugins/policy_engine/gateway_rules.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {

Result<void> CheckGateway(const proto::GatewaySettings& settings) {
  struct Row {
    std::string_view name;
    std::uint32_t value;
    std::uint32_t most;
  };
  const std::array rows = {
      Row{"connection limit", settings.connection_limit(), kMaxConnections},
      Row{"partner connection limit", settings.partner_connection_limit(), kMaxConnections},
      Row{"keep-alive interval", settings.keep_alive_interval_s(), kMaxIntervalSeconds},
      Row{"stream establishment timeout", settings.stream_establishment_timeout_s(),
          kMaxIntervalSeconds},
      Row{"stream inactivity timeout", settings.stream_inactivity_timeout_s(), kMaxIntervalSeconds},
      Row{"subscription refresh interval", settings.subscription_refresh_interval_s(),
          kMaxIntervalSeconds},
      Row{"authorisation time to live", settings.authorisation_ttl_s(), kMaxAuthorisationSeconds},
  };
  for (const Row& row : rows)
    if (row.value == 0 || row.value > row.most)
      return BadConfig(fmt::format("the {} cannot be {}; use a number from 1 to {}", row.name,
                                   row.value, row.most));
  if (settings.log_message_bodies())
    return BadConfig(
        "message texts cannot be logged: this Gatehouse writes them to no log; leave "
        "--log-message-bodies at false");
  if (settings.partner_connection_limit() > settings.connection_limit())
    return BadConfig(fmt::format(
        "the partner connection limit {} is above the connection limit {} of all partners; lower "
        "the first or raise the second",
        settings.partner_connection_limit(), settings.connection_limit()));
  return {};
}

}  // namespace gatehouse::policy_engine
