#include "core/ctl/selftest_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "core/selftest/matrix_rule.h"

namespace gatehouse::ctl {
namespace {

const std::vector<std::string> kDirections = {"in", "out"};

std::string RefusedRow(const std::vector<int>& rows) {
  const std::vector<int> valid = selftest::ValidRows();
  for (const int row : rows)
    if (std::ranges::find(valid, row) == valid.end())
      return fmt::format(
          "row {} is refused by configuration and cannot be played; the valid rows "
          "are {}",
          row, fmt::join(valid, ", "));
  return {};
}

}  // namespace

SelftestCommands::SelftestCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* selftest = app.add_subcommand("selftest", "Proves what this installation does");
  selftest->require_subcommand(1);
  CLI::App* matrix = selftest->add_subcommand(
      "matrix",
      "Plays the negotiation matrix, every valid row against every behaviour of a partner, between "
      "a gatehoused of its own and a simulated partner on loopback, and compares each cell with "
      "the specification");
  matrix->add_option("--row", rows_, "Only this row of the matrix; again for more")
      ->type_name("N")
      ->check(CLI::Range(1, selftest::kRuleRows));
  matrix->add_option("--direction", direction_, "Only streams the partner opens (in) or we (out)")
      ->type_name("WORD")
      ->check(CLI::IsMember(kDirections));
  matrix->add_flag("--cells", invocation.every_cell,
                   "One line for each cell, with all that was said");
  matrix->add_flag("--keep", invocation.matrix.keep_folder,
                   "Leaves the folder with configuration and log behind");
  matrix->callback([this, &invocation] {
    invocation.action = Action::kPlayMatrix;
    invocation.misuse = RefusedRow(rows_);
    invocation.matrix.rows = rows_.empty() ? selftest::ValidRows() : rows_;
    if (direction_ != "out") invocation.matrix.ways.push_back(selftest::Way::kIn);
    if (direction_ != "in") invocation.matrix.ways.push_back(selftest::Way::kOut);
  });
}

}  // namespace gatehouse::ctl
