#include "core/ctl/time_text.h"

#include <fmt/chrono.h>

#include <ctime>

namespace gatehouse::ctl {

std::string MinuteText(std::int64_t unix_s) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(unix_s)));
}

std::string SecondText(std::int64_t unix_s) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(unix_s)));
}

}  // namespace gatehouse::ctl
