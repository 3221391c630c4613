// Carries out what has a file of federation data at one end: export and apply.
#pragma once

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

[[nodiscard]] Ending ExportData(const Invocation& invocation, const Outside& outside);
// Mistakes are told all at once, each with its line; nothing is sent before the file reads well.
[[nodiscard]] Ending ApplyData(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
