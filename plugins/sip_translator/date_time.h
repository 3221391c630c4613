// XMPP time stamps and SIP dates. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::translator {

using WallTime = std::chrono::sys_seconds;

// "2026-11-22T14:03:00Z", fractions dropped, offsets applied. XEP-0082; nullopt for anything else.
[[nodiscard]] std::optional<WallTime> ParseStamp(std::string_view text);
[[nodiscard]] std::string WriteStamp(WallTime time);
// "Sun, 22 Nov 2026 14:03:00 GMT"; GMT is the only zone SIP has. RFC 3261 §20.17
[[nodiscard]] std::optional<WallTime> ParseSipDate(std::string_view text);
[[nodiscard]] std::string WriteSipDate(WallTime time);

}  // namespace gatehouse::translator
