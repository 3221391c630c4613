// What the specification says of a cell: 4.2, 4.5, 4.6 and the answers of 2.6, 2.8 and 3.9, written
// down once more as tables. Includes nothing of the code it judges.
#pragma once

#include <string_view>

#include "core/selftest/matrix_cell.h"

namespace gatehouse::selftest {

// One line of 4.2.
struct RuleRow {
  char tls;   // 'R', 'O', 'N'
  char sasl;  // the same
  bool dialback;
  std::string_view permitted;  // letters of A, B, C; empty: the row is refused
  std::string_view refusal;    // "E1" or "E2"; empty: the row is accepted
};
inline constexpr int kRuleRows = 18;
// `row` is 1 to 18.
[[nodiscard]] const RuleRow& RuleOf(int row);
// The 13 rows that are accepted.
[[nodiscard]] std::vector<int> ValidRows();

// What must become of the cell; its row is a valid one.
[[nodiscard]] CellOutcome ExpectedOutcome(const MatrixCell& cell);

}  // namespace gatehouse::selftest
