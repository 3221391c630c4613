#include "plugins/tls_listener/outbound_queue.h"

#include <algorithm>
#include <utility>

#include "core/base/result.h"

namespace gatehouse {

bool OutboundQueue::Push(std::string xml, Deadline expires, ipc::Ticket& ticket, TimePoint now) {
  if (entries_.size() >= kMaxQueuedStanzas || bytes_ + xml.size() > kMaxQueuedBytes) return false;
  bytes_ += xml.size();
  entries_.push_back({std::move(xml), std::min(expires, now + kLongestInQueue), std::move(ticket)});
  return true;
}

OutboundQueue::Entry OutboundQueue::Pop() {
  GATEHOUSE_CHECK(!entries_.empty());
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  bytes_ -= entry.xml.size();
  return entry;
}

void OutboundQueue::Expire(TimePoint now) {
  std::deque<Entry> kept;
  std::vector<ipc::Ticket> late;
  for (Entry& entry : entries_) {
    if (entry.expires > now) {
      kept.push_back(std::move(entry));
      continue;
    }
    bytes_ -= entry.xml.size();
    late.push_back(std::move(entry.ticket));
  }
  entries_ = std::move(kept);
  for (ipc::Ticket& ticket : late) ticket.Settle(ipc::Outcome::Expired());
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
