// Character sets of SIP message bodies (8.5). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::translator {

// `octets` as UTF-8. `charset` without case: utf-8, us-ascii, iso-8859-1, windows-1252, utf-16,
// utf-16le, utf-16be; empty is UTF-8, the default of text/* in SIP (RFC 3261 §7.4.1). nullopt:
// unknown charset, or octets it cannot hold.
[[nodiscard]] std::optional<std::string> DecodeCharset(std::string octets,
                                                       std::string_view charset);

}  // namespace gatehouse::translator
