// Files of our own in the state folder that are written whole.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

// Puts `content` in place of the file's: after a death in the middle all of the old or all of the
// new is there. For its owner alone (0600), and on the disk when this returns well.
//   fails  kTrouble: "FILE: cannot be written: No space left on device"
Result<void> ReplaceFile(const std::string& file, std::string_view content);

}  // namespace gatehouse
