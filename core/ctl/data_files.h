// Carries out what has a file at one end: export and apply, backup and restore.
#pragma once

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

[[nodiscard]] Ending ExportData(const Invocation& invocation, const Outside& outside);
// Mistakes are told all at once, each with its line; nothing is sent before the file reads well.
[[nodiscard]] Ending ApplyData(const Invocation& invocation, const Outside& outside);
// The copy is in the file, which only its owner may read, once all of it has come.
[[nodiscard]] Ending BackUp(const Invocation& invocation, const Outside& outside);
[[nodiscard]] Ending Restore(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
