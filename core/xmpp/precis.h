// String classes and profiles of PRECIS, on ICU's character data. RFC 8264, RFC 8265
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

// UsernameCaseMapped: width map, lower case, NFC, bidi rule, IdentifierClass. RFC 8265 §3.3
// `text` is UTF-8 of any length. Fails (kPeer) naming what is wrong, never the text.
Result<std::string> PrecisUsernameCaseMapped(std::string_view text);
// OpaqueString: other spaces become U+0020, NFC, FreeformClass. RFC 8265 §4.2
Result<std::string> PrecisOpaqueString(std::string_view text);
// True where every code point may stand in a U-label. RFC 5892 §3
[[nodiscard]] bool IsIdnaText(std::string_view utf8);

}  // namespace gatehouse
