// Carries out apply: the federation data, and what the file says of contacts.
#pragma once

#include <cstddef>

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

// The largest file that is read; far above what as many partners take as fit into a snapshot.
inline constexpr std::size_t kMaxDataFileBytes = std::size_t{64} * 1024 * 1024;

// Mistakes are told all at once, each with its line: those of reading first, then what the policy
// engine finds wrong with the rest, all of it before it changes anything. Contacts go to it in
// parts; all of the file is made in one step.
[[nodiscard]] Ending ApplyData(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
