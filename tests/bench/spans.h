// Spans of time as the benches print them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace gatehouse::bench {

inline double Microseconds(std::chrono::steady_clock::duration span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

// Of `times` in microseconds, of which there is one at least: a JSON object.
inline std::string Percentiles(std::vector<double> times) {
  std::ranges::sort(times);
  return fmt::format(R"({{"p50_us":{:.1f},"p99_us":{:.1f},"max_us":{:.1f}}})",
                     times[times.size() / 2], times[times.size() * 99 / 100], times.back());
}

}  // namespace gatehouse::bench
