// Carries out what has a file at one end: export, backup and restore; apply is apply_data.h.
#pragma once

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

[[nodiscard]] Ending ExportData(const Invocation& invocation, const Outside& outside);
// The copy is in the file, which only its owner may read, once all of it has come.
[[nodiscard]] Ending BackUp(const Invocation& invocation, const Outside& outside);
[[nodiscard]] Ending Restore(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
