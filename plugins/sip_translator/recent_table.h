// What was seen lately, in a fixed number of slots: no allocation, one cache line a look, and the
// newest win. Pure, the clock is a parameter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace gatehouse::translator {

// 64 bits of SHA-256 over the parts: nobody finds two contents with one key on purpose, and by
// chance nobody does.
[[nodiscard]] std::uint64_t KeyOf(std::string_view first, std::string_view second = {},
                                  std::string_view third = {});

// One value per key, for a fixed time at most. A key may push out another that has its slot: at two
// times the slots' number of keys within the life most are still here, and what is pushed out was
// merely forgotten early.
template <class Value>
class RecentTable {
 public:
  static constexpr std::size_t kSlots =
      32768;  // below a megabyte each; half an hour of 18 messages a second
  RecentTable(const Clock& clock, milliseconds life) : clock_(clock), life_(life), slots_(kSlots) {}

  // The live value of `key`, or null. Valid until the next call.
  Value* Find(std::uint64_t key) {
    Slot& slot = SlotOf(key);
    return slot.key == key && IsLive(slot) ? &slot.value : nullptr;
  }
  Value& Put(std::uint64_t key, Value value) {
    Slot& slot = SlotOf(key);
    slot = {key, clock_.Now(), value};
    return slot.value;
  }
  void Remove(std::uint64_t key) {
    Slot& slot = SlotOf(key);
    if (slot.key == key) slot = {};
  }
  // The live value of whatever other key has the slot of `key`, or null.
  Value* FindRival(std::uint64_t key) {
    Slot& slot = SlotOf(key);
    return slot.key != key && IsLive(slot) ? &slot.value : nullptr;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    TimePoint since{};  // epoch: empty
    Value value{};
  };
  Slot& SlotOf(std::uint64_t key) { return slots_[key % kSlots]; }
  bool IsLive(const Slot& slot) const {
    return slot.since != TimePoint{} && clock_.Now() - slot.since < life_;
  }
  const Clock& clock_;
  milliseconds life_;
  std::vector<Slot> slots_;
};

}  // namespace gatehouse::translator
