#include "plugins/policy_engine/gateway_rules.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::uint32_t kLeastSyntheticSeconds = 60;
constexpr std::uint32_t kMostSyntheticSeconds = 86400;

}  // namespace

std::vector<proto::Mistake> GatewayMistakes(const proto::GatewaySettings& settings,
                                            const proto::GatewaySettings& held) {
  struct Row {
    const char* field;
    std::string_view name;
    std::uint32_t value;
    std::uint32_t most;
    std::uint32_t least = 1;
  };
  const std::uint32_t refresh = settings.subscription_refresh_interval_s();
  const std::uint32_t least_refresh =
      refresh == held.subscription_refresh_interval_s() ? 1 : kMinRefreshSeconds;
  // clang-format off
  const std::array rows = {
      Row{"connection_limit", "connection limit", settings.connection_limit(), kMaxConnections},
      Row{"partner_connection_limit", "partner connection limit", settings.partner_connection_limit(), kMaxConnections},
      Row{"keep_alive_interval_s", "keep-alive interval", settings.keep_alive_interval_s(), kMaxIntervalSeconds},
      Row{"stream_establishment_timeout_s", "stream establishment timeout", settings.stream_establishment_timeout_s(), kMaxIntervalSeconds},
      Row{"stream_inactivity_timeout_s", "stream inactivity timeout", settings.stream_inactivity_timeout_s(), kMaxIntervalSeconds},
      Row{"subscription_refresh_interval_s", "subscription refresh interval", refresh, kMaxIntervalSeconds, least_refresh},
      Row{"authorisation_ttl_s", "authorisation time to live", settings.authorisation_ttl_s(), kMaxAuthorisationSeconds},
  };
  // clang-format on
  std::vector<proto::Mistake> mistakes;
  const auto note = [&mistakes](const char* field, std::string what) {
    proto::Mistake& mistake = mistakes.emplace_back();
    mistake.set_key(field);
    mistake.set_what(std::move(what));
  };
  bool in_range = true;
  for (const Row& row : rows)
    if (row.value < row.least || row.value > row.most) {
      in_range = false;
      note(row.field, fmt::format("the {} cannot be {}; use a number from {} to {}", row.name,
                                  row.value, row.least, row.most));
    }
  const std::uint32_t synthetic = settings.synthetic_interval_s();
  if (synthetic != 0 && (synthetic < kLeastSyntheticSeconds || synthetic > kMostSyntheticSeconds))
    note(
        "synthetic_interval_s",
        fmt::format("the synthetic interval cannot be {}; use 0, which is off, or a number from {} "
                    "to {}",
                    synthetic, kLeastSyntheticSeconds, kMostSyntheticSeconds));
  if (FederationWord(settings.federation()).empty())
    note("federation",
         "the federation setting is unknown; use on, off, inbound-only or outbound-only");
  if (settings.log_message_bodies())
    note("log_message_bodies",
         "message texts cannot be logged: this Gatehouse writes them to no log; leave "
         "--log-message-bodies at false");
  if (in_range && settings.partner_connection_limit() > settings.connection_limit())
    note("partner_connection_limit",
         fmt::format("the partner connection limit {} is above the connection limit {} of all "
                     "partners; lower the first or raise the second",
                     settings.partner_connection_limit(), settings.connection_limit()));
  return mistakes;
}

Result<void> CheckGateway(const proto::GatewaySettings& settings,
                          const proto::GatewaySettings& held) {
  const std::vector<proto::Mistake> mistakes = GatewayMistakes(settings, held);
  if (mistakes.empty()) return {};
  return BadConfig(mistakes.front().what());
}

}  // namespace gatehouse::policy_engine
