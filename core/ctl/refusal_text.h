// Verdicts, refusals and the reasons for them, for people.
#pragma once

#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// What would become of it, and why.
[[nodiscard]] std::string VerdictText(const proto::PolicyVerdict& verdict);
// One in full, several as a table with the words of their reasons below.
[[nodiscard]] std::string RefusalsText(const proto::RefusalRecords& records, bool in_full);
// Every reason with its sentence and remedy.
[[nodiscard]] std::string ReasonsText();
[[nodiscard]] std::string ReasonsJson();

}  // namespace gatehouse::ctl
