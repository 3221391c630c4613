// Stanzas of one pair that wait for a stream, in order, within the limits of 2.11. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "ipc/data_link.h"

namespace gatehouse {

inline constexpr std::size_t kMaxQueuedStanzas = 100;
inline constexpr std::size_t kMaxQueuedBytes = 1048576;
inline constexpr milliseconds kLongestInQueue = seconds{60};  // 3.3

class OutboundQueue {
 public:
  struct Entry {
    std::string xml;
    Deadline expires;
    ipc::Ticket ticket;
  };
  // False when full; `ticket` is then still the caller's.
  [[nodiscard]] bool Push(std::string xml, Deadline expires, ipc::Ticket& ticket, TimePoint now);
  [[nodiscard]] Entry Pop();  // the oldest; not from an empty queue
  // Settles as expired what has waited too long.
  void Expire(TimePoint now);
  // Lets go of everything unsettled, for a worker that ends: the offers go to its next life.
  void AbandonAll();
  // Settles everything so.
  void SettleAll(const ipc::Outcome& outcome);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace gatehouse
