// Anchors of one partner, as PEM text (2.5).
#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

inline constexpr std::size_t kMaxAnchorsBytes = 32768;  // about twenty certificates

// How many certificates `pem` holds.
//   fails  kConfig: none, one that cannot be read, or more than kMaxAnchorsBytes
Result<std::size_t> CountAnchors(std::string_view pem);

}  // namespace gatehouse
