#include "core/base/process_resources.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace gatehouse {
namespace {

[[maybe_unused]] constexpr rlim_t kMib = 1024 * 1024;
// Below it no worker could start.
[[maybe_unused]] constexpr rlim_t kLeastMib = 512;

}  // namespace

std::uint64_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &total, &resident);  // NOLINT(cert-err34-c)
  static_cast<void>(std::fclose(file));
  return read == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

bool HasDescriptorsToSpare(int reserve) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return true;
  const int lowest = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (lowest < 0) return false;
  static_cast<void>(::close(lowest));
  return static_cast<rlim_t>(lowest) + static_cast<rlim_t>(reserve) < limit.rlim_cur;
}

void LimitOwnMemory(std::uint32_t cap_mib) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  const rlim_t wanted = std::max(2 * rlim_t{cap_mib}, kLeastMib) * kMib;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  static_cast<void>(::setrlimit(RLIMIT_DATA, &limit));
#else
  static_cast<void>(cap_mib);
#endif
}

}  // namespace gatehouse
