// How near a worker is to its memory cap (12.5). Pure.
#pragma once

#include <cstdint>

namespace gatehouse {

enum class MemoryLevel : std::uint8_t {
  kCalm,
  kHigh,  // no more connections are taken
  kFull,  // and strangers go
};

// `before`: what it was a moment ago; below kHigh it falls only once a twentieth of the cap is free
// again, so that it does not flutter.
[[nodiscard]] constexpr MemoryLevel MemoryLevelOf(std::uint64_t used, std::uint64_t cap,
                                                  MemoryLevel before) {
  const std::uint64_t percent = cap == 0 ? 0 : used * 100 / cap;
  if (percent >= 95) return MemoryLevel::kFull;
  if (percent >= (before == MemoryLevel::kCalm ? 80U : 75U)) return MemoryLevel::kHigh;
  return MemoryLevel::kCalm;
}

}  // namespace gatehouse
