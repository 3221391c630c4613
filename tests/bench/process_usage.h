// What the processes under test have used, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::bench {

struct WatchedProcess {
  std::string name;  // "tls_listener/0"
  pid_t pid = 0;
};

// Nanoseconds on a CPU of all threads so far; 0 where the process is gone.
[[nodiscard]] std::uint64_t CpuNanoseconds(pid_t pid);
// Proportional set size in KiB; 0 where it cannot be read.
[[nodiscard]] std::uint64_t PssKib(pid_t pid);

struct UsageNow {
  double cpu_us = 0;
  std::uint64_t pss_kib = 0;
};
// Of each, in their order.
[[nodiscard]] std::vector<UsageNow> UsageOf(const std::vector<WatchedProcess>& processes);

}  // namespace gatehouse::bench
