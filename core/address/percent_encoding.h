// Percent-encoding of URI parts. RFC 3986 §2.1
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

// Decodes every %hh. Empty when a '%' is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> PercentDecode(std::string_view text);
// Keeps ASCII letters, digits and the octets of `keep`; every other octet becomes %HH in upper
// case.
[[nodiscard]] std::string PercentEncode(std::string_view text, std::string_view keep);
// The value of a hex digit, or -1.
[[nodiscard]] int HexValue(char digit);

}  // namespace gatehouse
