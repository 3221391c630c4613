// What the matrix proof found, for people and for scripts.
#pragma once

#include <string>

#include "core/selftest/matrix_run.h"

namespace gatehouse::ctl {

// One table for each row and direction; every line ends with a line end. `every_cell`: one line for
// each cell instead.
[[nodiscard]] std::string MatrixText(const selftest::MatrixReport& report, bool every_cell);
// One JSON object on one line.
[[nodiscard]] std::string MatrixJson(const selftest::MatrixReport& report);
// How many cells are not as specified.
[[nodiscard]] std::size_t CellsThatDiffer(const selftest::MatrixReport& report);

}  // namespace gatehouse::ctl
