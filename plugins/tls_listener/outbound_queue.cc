#include "plugins/tls_listener/outbound_queue.h"

#include <algorithm>
#include <utility>

#include "core/base/result.h"

namespace gatehouse {

bool OutboundQueue::Push(Entry& entry, TimePoint now) {
  if (entries_.size() >= kMaxQueuedStanzas || bytes_ + entry.xml.size() > kMaxQueuedBytes)
    return false;
  bytes_ += entry.xml.size();
  entry.expires = std::min(entry.expires, now + kLongestInQueue);
  entries_.push_back(std::move(entry));
  return true;
}

void OutboundQueue::PutBack(Entry entry) {
  bytes_ += entry.xml.size();
  entries_.push_front(std::move(entry));
}

OutboundQueue::Entry OutboundQueue::Pop() {
  GATEHOUSE_CHECK(!entries_.empty());
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  bytes_ -= entry.xml.size();
  return entry;
}

void OutboundQueue::Expire(TimePoint now) {
  Settle([now](const Entry& entry) { return entry.expires <= now; }, ipc::Outcome::Expired());
}

std::size_t OutboundQueue::SettleNew(const ipc::Outcome& outcome) {
  return Settle([](const Entry& entry) { return !entry.is_again; }, outcome);
}

template <class Which>
std::size_t OutboundQueue::Settle(const Which& which, const ipc::Outcome& outcome) {
  std::deque<Entry> kept;
  std::vector<ipc::Ticket> settled;
  for (Entry& entry : entries_) {
    if (!which(entry)) {
      kept.push_back(std::move(entry));
      continue;
    }
    bytes_ -= entry.xml.size();
    settled.push_back(std::move(entry.ticket));
  }
  entries_ = std::move(kept);
  for (ipc::Ticket& ticket : settled) ticket.Settle(outcome);
  return settled.size();
}

void OutboundQueue::AbandonAll() {
  for (Entry& entry : entries_) entry.ticket.Abandon();
  entries_.clear();
  bytes_ = 0;
}

void OutboundQueue::SettleAll(const ipc::Outcome& outcome) {
  std::deque<Entry> all = std::exchange(entries_, {});
  bytes_ = 0;
  for (Entry& entry : all) entry.ticket.Settle(outcome);
}

}  // namespace gatehouse
