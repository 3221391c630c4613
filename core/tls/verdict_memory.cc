#include "core/tls/verdict_memory.h"

namespace gatehouse {

const PeerCertificate* VerdictMemory::Find(const std::string& chain, std::int64_t now_unix) const {
  const auto found = by_chain_.find(chain);
  if (found == by_chain_.end()) return nullptr;
  const PeerCertificate& verdict = found->second;
  const bool in_time = now_unix >= verdict.not_before_unix && now_unix <= verdict.not_after_unix;
  return in_time ? &verdict : nullptr;
}

void VerdictMemory::Keep(const std::string& chain, const PeerCertificate& verdict) {
  if (!verdict.chain_valid || !by_chain_.try_emplace(chain, verdict).second) return;
  oldest_first_.push_back(chain);
  if (oldest_first_.size() <= kMaxKeptVerdicts) return;
  by_chain_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

}  // namespace gatehouse
