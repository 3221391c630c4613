// The matrix proof: plays cells of the negotiation matrix between a private Gatehouse and a
// simulated partner, and holds what became of each against the specification.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/selftest/matrix_cell.h"

namespace gatehouse::selftest {

struct MatrixOptions {
  std::vector<int> rows;  // valid rows of 4.2
  std::vector<Way> ways;
  bool keep_folder = false;  // its configuration and its log stay
};
struct CellReport {
  MatrixCell cell;
  CellOutcome expected;
  CellOutcome got;
  // Empty, or what else was wrong: something stood in clear that must not, or a stanza went through
  // after a refusal.
  std::string breach;
  [[nodiscard]] bool as_specified() const { return expected == got && breach.empty(); }
};
struct MatrixReport {
  std::vector<CellReport> cells;
  std::string folder;  // where it was played, when it was kept
};

// Blocks until all cells are played.
//   fails  kTrouble: no private Gatehouse could be started, it ended, or somebody interrupted
Result<MatrixReport> RunMatrix(const MatrixOptions& options);

}  // namespace gatehouse::selftest
