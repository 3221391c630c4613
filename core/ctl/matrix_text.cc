#include "core/ctl/matrix_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"
#include "core/selftest/matrix_rule.h"

namespace gatehouse::ctl {
namespace {

using selftest::CellReport;
using Cells = std::span<const CellReport>;

constexpr std::size_t kColumns = 2 * selftest::kDialbacks.size();  // EXTERNAL x dialback
constexpr std::size_t kTableCells =
    selftest::kStartTls.size() * selftest::kCertificates.size() * kColumns;

std::string_view LevelWord(char letter) {
  if (letter == 'R') return "required";
  return letter == 'O' ? "optional" : "not-supported";
}

// "sasl_tls", "-key invalid"; "!" where it is not as specified.
std::string CellText(const CellReport& report) {
  std::string text = report.got.result;
  if (text.starts_with("refused: ")) text.replace(0, 9, "-");
  return report.as_specified() ? text : "!" + text;
}

std::string Title(const selftest::MatrixCell& cell) {
  const selftest::RuleRow& row = selftest::RuleOf(cell.row);
  return fmt::format("row {}, {}bound: TLS {}, SASL {}, dialback {}\n", cell.row,
                     selftest::WayName(cell.way), LevelWord(row.tls), LevelWord(row.sasl),
                     row.dialback);
}

// The cells of one row and direction, as CellsOf orders them.
std::string TableText(Cells cells) {
  TextTable table({"STARTTLS", "CERTIFICATE", "EXTERNAL+right", "EXTERNAL+wrong", "EXTERNAL+absent",
                   "right", "wrong", "absent"});
  for (std::size_t at = 0; at + kColumns <= cells.size(); at += kColumns) {
    const selftest::Behaviour& partner = cells[at].cell.partner;
    std::vector<std::string> line = {std::string(selftest::StartTlsName(partner.starttls)),
                                     std::string(selftest::CertificateName(partner.certificate))};
    for (const CellReport& report : cells.subspan(at, kColumns)) line.push_back(CellText(report));
    table.Add(std::move(line));
  }
  return Title(cells.front().cell) + table.ToText() + '\n';
}

std::string BehaviourText(const selftest::MatrixCell& cell) {
  return fmt::format("row {} {}: STARTTLS {}, certificate {}, EXTERNAL {}, dialback {}", cell.row,
                     selftest::WayName(cell.way), selftest::StartTlsName(cell.partner.starttls),
                     selftest::CertificateName(cell.partner.certificate),
                     cell.partner.external ? "yes" : "no",
                     selftest::DialbackName(cell.partner.dialback));
}

std::string OutcomeText(const selftest::CellOutcome& outcome) {
  return fmt::format("{}  ({})", outcome.result, outcome.trail);
}

std::string DifferenceText(const CellReport& report) {
  std::string text =
      fmt::format("{}\n  specified: {}\n  seen:      {}\n", BehaviourText(report.cell),
                  OutcomeText(report.expected), OutcomeText(report.got));
  if (!report.breach.empty()) text += fmt::format("  wrong:     {}\n", Printable(report.breach));
  return text;
}

std::string LineText(const CellReport& report) {
  return fmt::format("{}{}: {}\n", report.as_specified() ? "" : "!", BehaviourText(report.cell),
                     OutcomeText(report.got));
}

std::string CellJson(const CellReport& report) {
  const selftest::MatrixCell& cell = report.cell;
  return fmt::format(
      R"({{"row":{},"direction":"{}","starttls":"{}","certificate":"{}","external":{},)"
      R"("dialback":"{}","as_specified":{},"result":{},"trail":{},"specified_result":{},)"
      R"("specified_trail":{},"breach":{}}})",
      cell.row, selftest::WayName(cell.way), selftest::StartTlsName(cell.partner.starttls),
      selftest::CertificateName(cell.partner.certificate), cell.partner.external,
      selftest::DialbackName(cell.partner.dialback), report.as_specified(),
      JsonString(report.got.result), JsonString(report.got.trail),
      JsonString(report.expected.result), JsonString(report.expected.trail),
      JsonString(report.breach));
}

}  // namespace

std::size_t CellsThatDiffer(const selftest::MatrixReport& report) {
  return static_cast<std::size_t>(std::ranges::count_if(
      report.cells, [](const CellReport& cell) { return !cell.as_specified(); }));
}

std::string MatrixText(const selftest::MatrixReport& report, bool every_cell) {
  std::string text;
  for (std::size_t at = 0; !every_cell && at < report.cells.size(); at += kTableCells)
    text += TableText(Cells(report.cells).subspan(at, kTableCells));
  for (const CellReport& cell : report.cells)
    if (every_cell) text += LineText(cell);
  for (const CellReport& cell : report.cells)
    if (!cell.as_specified()) text += DifferenceText(cell);
  if (!report.folder.empty()) text += fmt::format("kept: {}\n", report.folder);
  return text + fmt::format("{} cells, {} not as specified\n", report.cells.size(),
                            CellsThatDiffer(report));
}

std::string MatrixJson(const selftest::MatrixReport& report) {
  std::string text = fmt::format(R"({{"cells":{},"not_as_specified":{},"matrix":[)",
                                 report.cells.size(), CellsThatDiffer(report));
  for (const CellReport& cell : report.cells) {
    if (text.back() != '[') text += ',';
    text += CellJson(cell);
  }
  return text + "]}";
}

}  // namespace gatehouse::ctl
