// Two guards of the message flow: repeats and floods of one message. Pure, bounded, the clock is a
// parameter.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"

namespace gatehouse::translator {

// Entries kept by each guard; the oldest go first. At a hundred octets each, a few megabytes.
inline constexpr std::size_t kMaxRemembered = 65536;

// A short name for one content between two addresses; equal only for equal triples.
[[nodiscard]] std::string ContentKey(std::string_view from, std::string_view to,
                                     std::string_view body);

// Remembers what was seen for a fixed time.
class RecentSet {
 public:
  RecentSet(const Clock& clock, milliseconds life) : clock_(clock), life_(life) {}
  // False when `key` is in here already.
  bool Add(const std::string& key);
  void Remove(const std::string& key);

 private:
  void Forget();
  const Clock& clock_;
  milliseconds life_;
  std::unordered_map<std::string, TimePoint> seen_;
  std::deque<std::pair<TimePoint, std::string>> order_;
};

// At most kMaxIdentical messages of one content key within kIdenticalSpan (11.7).
class FloodGuard {
 public:
  static constexpr int kMaxIdentical = 10;
  static constexpr seconds kIdenticalSpan{10};
  explicit FloodGuard(const Clock& clock) : clock_(clock) {}
  // Counts one message; false when it is one too many.
  bool Admit(const std::string& key);

 private:
  struct Run {
    TimePoint since;
    int count = 0;
  };
  void Forget();
  const Clock& clock_;
  std::unordered_map<std::string, Run> runs_;
  std::deque<std::pair<TimePoint, std::string>> order_;
};

}  // namespace gatehouse::translator
