// Text as an editor or a shell wrote it to a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

// Where a text is none, and why.
struct NoText {
  int line = 1;           // from 1
  std::string_view what;  // such as "is not in UTF-8"; the remedy is kWriteUtf8
};
inline constexpr std::string_view kWriteUtf8 = "write the file in UTF-8";

// The same text in UTF-8 and without a byte order mark.
//   bytes  UTF-8 with a mark or without one, or UTF-16 with one
//   fails  for all else, and where a zero octet stands in it
[[nodiscard]] Result<std::string, NoText> DecodeText(std::string_view bytes);

}  // namespace gatehouse
