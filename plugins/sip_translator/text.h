// Cleaning of text that crosses from one protocol into the other (8.5 text hygiene, 7.2, 12.3 S1).
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse::translator {

// What XML 1.0 can carry: C0 except TAB and LF removed, CRLF becomes LF, U+FFFE and U+FFFF dropped,
// octets that are no UTF-8 dropped. Bidi controls stay. 8.5
[[nodiscard]] std::string CleanForXmpp(std::string text);

// One header line: controls (LF, NUL, ...) become spaces, CR goes, ends are trimmed, octets that
// are no UTF-8 are dropped; cut at a character so that at most `max_octets` remain. 8.2.1, 12.3 S1
[[nodiscard]] std::string OneLine(std::string_view text, std::size_t max_octets);

inline constexpr std::size_t kMaxReasonCharacters = 128;
// A reason phrase for <text/>, or a <text/> for a reason phrase: controls removed; empty when what
// remains is not UTF-8 or longer than kMaxReasonCharacters, and then the caller's default phrase
// holds. 7.2
[[nodiscard]] std::string CleanReason(std::string_view phrase);

}  // namespace gatehouse::translator
