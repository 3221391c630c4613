// When a partner's time is over (`partner --expires`). Read in the engine, which publishes it, and
// in every worker, which an engine that is dead must not leave with a partner of yesterday. Pure.
#pragma once

#include <cstdint>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

[[nodiscard]] inline bool IsExpired(const proto::Partner& partner, std::int64_t now_unix) {
  const auto expires = static_cast<std::int64_t>(partner.expires_unix());
  return expires != 0 && expires <= now_unix;
}
// When the next of the partners that are enabled expires, or has; 0: none ever will.
[[nodiscard]] std::int64_t NextExpiry(const proto::PolicySnapshot& snapshot);
// Partners that have expired are enabled no more. The hash is not touched.
void DisableExpired(proto::PolicySnapshot& snapshot, std::int64_t now_unix);

}  // namespace gatehouse
