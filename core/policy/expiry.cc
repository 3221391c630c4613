#include "core/policy/expiry.h"

namespace gatehouse {

std::int64_t NextExpiry(const proto::PolicySnapshot& snapshot) {
  std::int64_t next = 0;
  for (const proto::Partner& partner : snapshot.partners()) {
    const auto expires = static_cast<std::int64_t>(partner.expires_unix());
    if (!partner.enabled() || expires == 0) continue;
    if (next == 0 || expires < next) next = expires;
  }
  return next;
}

void DisableExpired(proto::PolicySnapshot& snapshot, std::int64_t now_unix) {
  for (proto::Partner& partner : *snapshot.mutable_partners())
    if (IsExpired(partner, now_unix)) partner.set_enabled(false);
}

}  // namespace gatehouse
