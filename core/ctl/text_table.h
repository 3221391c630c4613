// Columns for people: a head line, then rows, each column as wide as its widest cell.
#pragma once

#include <string>
#include <vector>

namespace gatehouse::ctl {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head);
  // As many cells as the head has. Control characters are shown as '?': a stored text cannot move
  // the cursor.
  void Add(std::vector<std::string> row);
  // Every line ends with a line end; no blanks at the end of a line.
  [[nodiscard]] std::string ToText() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// `text` with control characters as '?', but for `kept`.
[[nodiscard]] std::string Printable(const std::string& text, char kept = '\0');

}  // namespace gatehouse::ctl
