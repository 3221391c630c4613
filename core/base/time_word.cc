#include "core/base/time_word.h"

#include <fmt/chrono.h>

#include <charconv>
#include <cstdlib>
#include <ctime>

namespace gatehouse {
namespace {

constexpr const char* kNever = "never";
constexpr long kDay = 86'400;
constexpr std::uint64_t kLastOfYear9999 = 253'402'300'799;

}  // namespace

std::string TimeWord(std::uint64_t unix_s) {
  if (unix_s == 0) return kNever;
  if (unix_s > kLastOfYear9999) return std::to_string(unix_s);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(unix_s)));
}

std::optional<std::uint64_t> ParseTimeWord(const std::string& text) {
  if (text == kNever) return 0;
  if (text.starts_with(' ')) return std::nullopt;  // strptime would skip it
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size()) return number;
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"}) {
    std::tm time{};
    const char* rest = ::strptime(text.c_str(), format, &time);
    if (rest == nullptr || *rest != '\0') continue;
    const std::tm written = time;
    const std::time_t unix_s = ::timegm(&time);
    if (time.tm_mday != written.tm_mday) break;      // no such day
    if (std::abs(written.tm_gmtoff) >= kDay) break;  // no such offset (RFC 3339 §5.6)
    if (unix_s <= written.tm_gmtoff) break;          // not after 1970
    return static_cast<std::uint64_t>(unix_s - written.tm_gmtoff);
  }
  return std::nullopt;
}

}  // namespace gatehouse
