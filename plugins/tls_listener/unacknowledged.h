// What was written to one stream and is not acknowledged, and when to ask for it (2.13). Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "plugins/tls_listener/outbound_queue.h"

namespace gatehouse {

struct OutboundPair;

class Unacknowledged {
 public:
  // Octets a stream may hold before its pairs queue, with what each stanza costs besides.
  static constexpr std::size_t kMaxBytes = 1048576;

  struct Sent {
    OutboundQueue::Entry entry;
    OutboundPair* pair = nullptr;
    TimePoint at{};
  };

  void Add(OutboundQueue::Entry entry, OutboundPair* pair, TimePoint now);
  // At the end of a turn, and after an answer. True: send <r/> now. One request is on its way at a
  // time, however many stanzas follow it, but for every fifth of them (2.13).
  [[nodiscard]] bool AskNow(TimePoint now);
  // The peer has said <a h/>. Gives the stanzas it acknowledges, in order; nullopt: it speaks of
  // stanzas that were never sent.
  [[nodiscard]] std::optional<std::vector<Sent>> Acknowledge(std::uint32_t h);
  // No answer to a request for too long (2.13).
  [[nodiscard]] bool IsOverdue(TimePoint now) const;
  // The stream is over: what it may have lost, in order.
  [[nodiscard]] std::vector<Sent> TakeAll();

  // Adds the pairs of all it holds.
  void AddPairs(std::unordered_set<const OutboundPair*>& pairs) const;
  [[nodiscard]] bool HasRoom() const { return bytes_ < kMaxBytes; }
  [[nodiscard]] std::size_t size() const { return sent_.size(); }
  [[nodiscard]] std::uint64_t count_sent() const { return acknowledged_ + sent_.size(); }

 private:
  std::deque<Sent> sent_;
  std::size_t bytes_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t asked_ = 0;  // stanzas sent at the last request
  TimePoint asked_at_{};
  bool awaits_answer_ = false;
};

}  // namespace gatehouse
