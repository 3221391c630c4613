// What the gateway settings must be before they may be stored.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "proto/ctl.pb.h"

namespace gatehouse::policy_engine {

// A week: longer intervals are mistakes in the unit.
inline constexpr std::uint32_t kMaxIntervalSeconds = 604'800;
// Ten years of authorised contacts.
inline constexpr std::uint32_t kMaxAuthorisationSeconds = 315'360'000;

// A partner's server is not asked more often than that.
inline constexpr std::uint32_t kMinRefreshSeconds = 60;

// Each mistake with its field and one sentence with the remedy: a limit of 0 or above
// kMaxConnections, an interval of 0 or above its maximum, more connections for one partner
// than for all, subscriptions refreshed more often than every kMinRefreshSeconds.
//   held  what is in force; what is below the minimum there may stay so
[[nodiscard]] std::vector<proto::Mistake> GatewayMistakes(const proto::GatewaySettings& settings,
                                                          const proto::GatewaySettings& held = {});
// Fails (kConfig) with the first of them.
Result<void> CheckGateway(const proto::GatewaySettings& settings,
                          const proto::GatewaySettings& held = {});

}  // namespace gatehouse::policy_engine
