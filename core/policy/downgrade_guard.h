// May a stream to this partner go without TLS (3.4.1)? Pure: time is a parameter.
#pragma once

#include <cstdint>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// How long a success over TLS forbids streams in clear.
inline constexpr std::int64_t kTlsMemorySeconds = std::int64_t{30} * 86400;

// When streams in clear are permitted again as far as `tls_seen_unix` says; 0: they are.
[[nodiscard]] constexpr std::int64_t ClearRefusedUntil(std::int64_t tls_seen_unix,
                                                       std::int64_t now_unix) {
  if (tls_seen_unix <= 0) return 0;
  const std::int64_t until = tls_seen_unix + kTlsMemorySeconds;
  return now_unix < until ? until : 0;
}
// For rows with TLS optional; the others have no choice.
[[nodiscard]] inline bool MayGoClear(const proto::Partner& partner, std::int64_t now_unix) {
  return ClearRefusedUntil(static_cast<std::int64_t>(partner.tls_seen_unix()), now_unix) == 0;
}

}  // namespace gatehouse
