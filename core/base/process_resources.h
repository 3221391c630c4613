// What this process has and may have: memory and descriptors (12.5).
#pragma once

#include <cstdint>

namespace gatehouse {

// Resident memory in octets; 0 where /proc cannot be read.
[[nodiscard]] std::uint64_t ResidentBytes();

// What an operator may set. Below kAmpleWorkerMemoryMib a worker may be near its cap before it has
// anything to do, and a listener that is takes no newcomers.
inline constexpr std::uint32_t kLeastWorkerMemoryMib = 16;
inline constexpr std::uint32_t kAmpleWorkerMemoryMib = 128;
inline constexpr std::uint32_t kMostWorkerMemoryMib = 1'048'576;
// What limits.worker_memory_mib of the configuration stands for: 0 is the default.
[[nodiscard]] constexpr std::uint32_t WorkerMemoryMib(std::uint32_t configured) {
  constexpr std::uint32_t kDefault = 1024;
  return configured == 0 ? kDefault : configured;
}

// As many descriptors as the system lets this process have: the soft limit is made for programs
// that use select, which nothing here does.
void RaiseDescriptorLimit();
// Whether `reserve` descriptors and one more are left. The kernel gives the lowest free number:
// none of the highest `reserve` goes to whoever asks first.
[[nodiscard]] bool HasDescriptorsToSpare(int reserve);

// Where a worker leaks, it is that one which ends, and not whatever the kernel picks when the
// machine is full. Counts what is set aside, resident or not, such as the stacks of threads: hence
// twice the cap. Nothing with a sanitizer, whose shadow counts too.
void LimitOwnMemory(std::uint32_t cap_mib);

}  // namespace gatehouse
