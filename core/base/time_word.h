// Points in time as an operator writes and reads them: RFC 3339, in UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gatehouse {

inline constexpr const char* kTimeWords =
    "a time such as 2027-01-31 or 2027-01-31T18:00Z (UTC), or never";

// Of seconds since 1970: "2027-01-31T18:00:00Z"; "never" of 0; the number where a year would have
// more than four digits.
[[nodiscard]] std::string TimeWord(std::uint64_t unix_s);
// The seconds since 1970 of a day, which is its beginning, of a day and a time with 'Z' or its
// distance from UTC ("+01:00"), of "never" (0) or of such a number itself. None: it is no time.
[[nodiscard]] std::optional<std::uint64_t> ParseTimeWord(const std::string& text);

}  // namespace gatehouse
