// Stanzas of one pair that wait for a stream, in order, within the limits of 2.11. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "ipc/data_link.h"
#include "plugins/tls_listener/stanza_return.h"

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
    StanzaReturn on_loss = StanzaReturn::kAgain;
    std::string subject = {};  // of kIfNewest
    bool is_again = false;     // was on a stream that ended before it was acknowledged
  };
  // False when full; `entry` is then still the caller's.
  [[nodiscard]] bool Push(Entry& entry, TimePoint now);
  // Back to the front, whatever the limits: it stood there before.
  void PutBack(Entry entry);
  [[nodiscard]] Entry Pop();  // the oldest; not from an empty queue
  // Settles as expired what has waited too long.
  void Expire(TimePoint now);
  // Lets go of everything unsettled, for a worker that ends: the offers go to its next life.
  void AbandonAll();
  // Settles everything so.
  void SettleAll(const ipc::Outcome& outcome);
  // Settles so what has not been on a stream yet. Gives how many.
  std::size_t SettleNew(const ipc::Outcome& outcome);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  template <class Which>
  std::size_t Settle(const Which& which, const ipc::Outcome& outcome);

  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace gatehouse
