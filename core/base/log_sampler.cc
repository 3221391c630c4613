#include "core/base/log_sampler.h"

#include <utility>

namespace gatehouse {

std::optional<std::int64_t> LogSampler::Admit(const std::string& peer) {
  const TimePoint now = clock_.Now();
  if (peers_.size() >= kMaxPeers && !peers_.contains(peer)) peers_.clear();
  Peer& seen = peers_.try_emplace(peer, Peer{.since = now}).first->second;
  if (now - seen.since >= span_) {
    seen.since = now;
    seen.lines = 0;
  }
  if (++seen.lines <= kLines) return std::exchange(seen.left_out, 0);
  ++seen.left_out;
  return std::nullopt;
}

}  // namespace gatehouse
