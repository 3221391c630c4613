// Two guards of the message flow: repeats and floods of one message (8.9, 11.7). Pure, bounded.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "plugins/sip_translator/recent_table.h"

namespace gatehouse::translator {

// Keys seen within a fixed time.
class RecentSet {
 public:
  RecentSet(const Clock& clock, milliseconds life) : seen_(clock, life) {}
  // False when `key` is in here already.
  bool Add(std::uint64_t key) {
    if (seen_.Find(key) != nullptr) return false;
    seen_.Put(key, {});
    return true;
  }
  void Remove(std::uint64_t key) { seen_.Remove(key); }

 private:
  struct Nothing {};
  RecentTable<Nothing> seen_;
};

// At most kMaxIdentical messages of one content within kIdenticalSpan (11.7).
class FloodGuard {
 public:
  static constexpr int kMaxIdentical = 10;
  static constexpr seconds kIdenticalSpan{10};
  explicit FloodGuard(const Clock& clock) : counts_(clock, kIdenticalSpan) {}
  // Counts one message; false when it is one too many. A content seen only once makes room for
  // another.
  bool Admit(std::uint64_t key) {
    if (int* count = counts_.Find(key)) return ++*count <= kMaxIdentical;
    if (const int* rival = counts_.FindRival(key); rival == nullptr || *rival <= 1)
      counts_.Put(key, 1);
    return true;
  }

 private:
  RecentTable<int> counts_;
};

}  // namespace gatehouse::translator
