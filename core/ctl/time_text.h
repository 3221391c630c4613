// Points in time as an operator reads them.
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse::ctl {

// "2026-11-29 03:00 UTC", of seconds since 1970.
[[nodiscard]] std::string MinuteText(std::int64_t unix_s);
// "2026-11-29 03:00:12 UTC", of seconds since 1970.
[[nodiscard]] std::string SecondText(std::int64_t unix_s);
[[nodiscard]] inline std::string SecondText(std::uint64_t unix_s) {
  return SecondText(static_cast<std::int64_t>(unix_s));
}

}  // namespace gatehouse::ctl
