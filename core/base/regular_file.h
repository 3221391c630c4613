// Files that are read whole, from places that an operator names.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/result.h"

namespace gatehouse {

inline constexpr const char* kNoRegularFile =
    "is a pipe, a device or a folder; name a regular file";

// At most the first `max_bytes` octets. Never waits: a pipe or a device, which may have no end, is
// not read.
//   fails  kConfig: "cannot be read: No such file or directory", or kNoRegularFile; without the
//          file's name
Result<std::string> ReadRegularFile(const std::string& file, std::size_t max_bytes);

}  // namespace gatehouse
