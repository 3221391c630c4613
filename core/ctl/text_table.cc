#include "core/ctl/text_table.h"

#include <algorithm>

#include "core/base/one_line.h"
#include "core/base/result.h"

namespace gatehouse::ctl {
namespace {

// Characters, not octets: every octet that does not continue one.
std::size_t Width(const std::string& cell) {
  return static_cast<std::size_t>(std::ranges::count_if(
      cell, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string Printable(const std::string& text, char kept) {
  return WithoutControls(text, kept);
}

TextTable::TextTable(std::vector<std::string> head) {
  rows_.push_back(std::move(head));
}

void TextTable::Add(std::vector<std::string> row) {
  GATEHOUSE_CHECK(row.size() == rows_.front().size());
  for (std::string& cell : row) cell = Printable(cell);
  rows_.push_back(std::move(row));
}

std::string TextTable::ToText() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace gatehouse::ctl
