#include "plugins/policy_engine/boot_clock.h"

#include <time.h>

#include <fstream>

namespace gatehouse::policy_engine {

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::chrono::seconds SinceBoot() {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &now));
  return std::chrono::seconds(now.tv_sec);
}

}  // namespace gatehouse::policy_engine
