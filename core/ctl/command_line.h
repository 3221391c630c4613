// The words and flags of gatehousectl into an Invocation.
#pragma once

#include <span>
#include <string>

#include "core/base/result.h"
#include "core/ctl/invocation.h"

namespace gatehouse::ctl {

// `arguments` without the program's name. --help and --version give Action::kPrint.
//   fails  kConfig for wrong usage: what is wrong and what would be right
[[nodiscard]] Result<Invocation> ParseCommandLine(std::span<const std::string> arguments);

}  // namespace gatehouse::ctl
