#include "plugins/tls_listener/unacknowledged.h"

#include <iterator>
#include <utility>

#include "core/xmpp/ack_count.h"

namespace gatehouse {
namespace {

constexpr std::uint64_t kAskEvery = 5;
constexpr seconds kAskAgain{10};
constexpr seconds kAcknowledgeLimit{60};
constexpr std::size_t kCostOfOne = 256;

std::size_t CostOf(const OutboundQueue::Entry& entry) {
  return entry.xml.size() + entry.subject.size() + kCostOfOne;
}

}  // namespace

void Unacknowledged::Add(OutboundQueue::Entry entry, OutboundPair* pair, TimePoint now) {
  bytes_ += CostOf(entry);
  sent_.push_back({std::move(entry), pair, now});
}

bool Unacknowledged::AskNow(TimePoint now) {
  if (sent_.empty()) return false;
  const std::uint64_t since = count_sent() - asked_;
  const bool due = awaits_answer_ ? since >= kAskEvery : since > 0 || now - asked_at_ >= kAskAgain;
  if (!due) return false;
  if (!std::exchange(awaits_answer_, true)) asked_at_ = now;
  asked_ = count_sent();
  return true;
}

std::optional<std::vector<Unacknowledged::Sent>> Unacknowledged::Acknowledge(std::uint32_t h) {
  const auto newly = NewlyAcknowledged(h, acknowledged_, sent_.size());
  if (!newly) return std::nullopt;
  awaits_answer_ = false;
  const auto end = sent_.begin() + static_cast<std::ptrdiff_t>(*newly);
  std::vector<Sent> done(std::make_move_iterator(sent_.begin()), std::make_move_iterator(end));
  sent_.erase(sent_.begin(), end);
  acknowledged_ += *newly;
  for (const Sent& each : done) bytes_ -= CostOf(each.entry);
  return done;
}

bool Unacknowledged::IsOverdue(TimePoint now) const {
  return awaits_answer_ && now - asked_at_ >= kAcknowledgeLimit;
}

void Unacknowledged::AddPairs(std::unordered_set<const OutboundPair*>& pairs) const {
  for (const Sent& each : sent_) pairs.insert(each.pair);
}

std::vector<Unacknowledged::Sent> Unacknowledged::TakeAll() {
  std::deque<Sent> all = std::exchange(sent_, {});
  bytes_ = 0;
  return {std::make_move_iterator(all.begin()), std::make_move_iterator(all.end())};
}

}  // namespace gatehouse
