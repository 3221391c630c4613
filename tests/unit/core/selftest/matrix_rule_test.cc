#include "core/selftest/matrix_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace gatehouse::selftest {
namespace {

// The sentence below the table of 4.2.
std::string ByTheSentence(const RuleRow& row) {
  std::string permitted;
  if (row.tls != 'N' && row.sasl != 'N') permitted += 'A';
  if (row.dialback && row.tls != 'N' && !(row.tls == 'R' && row.sasl == 'R')) permitted += 'B';
  if (row.dialback && row.tls != 'R') permitted += 'C';
  return permitted;
}

std::string Letter(const std::string& result) {
  if (result == "sasl_tls") return "A";
  if (result == "tls_dialback" || result == "certificate") return "B";
  return result == "tcp_dialback" ? "C" : "";
}

TEST(MatrixRule, TheTableIsWhatItsSentenceSays) {
  for (int row = 1; row <= kRuleRows; ++row) {
    EXPECT_EQ(RuleOf(row).permitted, ByTheSentence(RuleOf(row))) << row;
    EXPECT_EQ(RuleOf(row).permitted.empty(), !RuleOf(row).refusal.empty()) << row;
  }
  EXPECT_EQ(ValidRows().size(), 13U);
}

TEST(MatrixRule, NoCellIsOpenByAMethodItsRowDoesNotPermit) {
  for (const MatrixCell& cell : CellsOf(ValidRows(), {Way::kIn, Way::kOut})) {
    const CellOutcome outcome = ExpectedOutcome(cell);
    const std::string letter = Letter(outcome.result);
    EXPECT_EQ(letter.empty(), outcome.result.starts_with("refused: ")) << outcome.result;
    EXPECT_NE(RuleOf(cell.row).permitted.find(letter), std::string_view::npos)
        << cell.row << ' ' << outcome.result;
  }
}

TEST(MatrixRule, EveryPermittedMethodIsUsedSomewhereInEachDirection) {
  for (const int row : ValidRows()) {
    for (const Way way : kWays) {
      std::string used;
      for (const MatrixCell& cell : CellsOf({row}, {way})) {
        const std::string letter = Letter(ExpectedOutcome(cell).result);
        if (used.find(letter) == std::string::npos) used += letter;
      }
      std::ranges::sort(used);
      EXPECT_EQ(used, RuleOf(row).permitted) << row << ' ' << WayName(way);
    }
  }
}

TEST(MatrixRule, AnImpostorWithoutCertificateAndWithAWrongKeyIsNeverLetIn) {
  for (MatrixCell cell : CellsOf(ValidRows(), {Way::kIn})) {
    if (cell.partner.certificate == Certificate::kValid) continue;
    cell.partner.dialback = Dialback::kWrong;
    EXPECT_EQ(Letter(ExpectedOutcome(cell).result), "") << cell.row;
  }
}

TEST(MatrixCell, EachRowAndDirectionHas72) {
  EXPECT_EQ(CellsOf({7}, {Way::kIn}).size(), 72U);
  EXPECT_EQ(CellsOf(ValidRows(), {Way::kIn, Way::kOut}).size(), 1872U);
}

}  // namespace
}  // namespace gatehouse::selftest
