#include "plugins/policy_engine/stream_memory.h"

#include <utility>

namespace gatehouse::policy_engine {

void StreamMemory::Add(proto::StreamRecord record) {
  std::deque<proto::StreamRecord>& kept = by_partner_[record.partner_id()];
  kept.push_front(std::move(record));
  if (kept.size() > kKept) kept.pop_back();
}

void StreamMemory::Forget(std::string_view partner_id) {
  const auto found = by_partner_.find(partner_id);
  if (found != by_partner_.end()) by_partner_.erase(found);
}

const std::deque<proto::StreamRecord>& StreamMemory::Of(std::string_view partner_id) const {
  const auto found = by_partner_.find(partner_id);
  return found == by_partner_.end() ? none_ : found->second;
}

}  // namespace gatehouse::policy_engine
