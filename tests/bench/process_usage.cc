#include "tests/bench/process_usage.h"

#include <filesystem>
#include <fstream>

namespace gatehouse::bench {

std::uint64_t CpuNanoseconds(pid_t pid) {
  std::uint64_t sum = 0;
  std::error_code gone;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream file(thread.path() / "schedstat");
    std::uint64_t nanoseconds = 0;
    if (file >> nanoseconds) sum += nanoseconds;
  }
  return sum;
}

std::uint64_t PssKib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::string word;
  while (file >> word) {
    std::uint64_t kib = 0;
    if (word == "Pss:" && file >> kib) return kib;
  }
  return 0;
}

std::vector<UsageNow> UsageOf(const std::vector<WatchedProcess>& processes) {
  std::vector<UsageNow> usage;
  for (const WatchedProcess& process : processes)
    usage.push_back({static_cast<double>(CpuNanoseconds(process.pid)) / 1000, PssKib(process.pid)});
  return usage;
}

}  // namespace gatehouse::bench
