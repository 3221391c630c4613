// Export-Csv, and what Format-List prints.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/ctl/lync_export.h"

namespace gatehouse::ctl {
namespace {

constexpr std::string_view kTypeMark = "#TYPE ";

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// One record of RFC 4180, whose quoted fields may have line ends. None: a quote is not closed.
std::optional<std::vector<std::string>> TakeRecord(std::string_view& text, char separator) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"';
    if (doubled) {
      fields.back() += c;
      ++at;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == separator) {
      fields.emplace_back();
    } else if (!quoted && c == '\n') {
      break;
    } else if (quoted || c != '\r') {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  text.remove_prefix(std::min(at + 1, text.size()));
  return fields;
}

// What stands behind the first name: -Delimiter and -UseCulture choose others than the comma.
char SeparatorOf(std::string_view header) {
  const std::size_t first = header.find_first_of(",;\t");
  return first == std::string_view::npos ? ',' : header[first];
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

Result<std::vector<LyncObject>> ReadLyncCsv(std::string_view text) {
  std::string type;
  if (text.starts_with(kTypeMark)) type = TakeLine(text).substr(kTypeMark.size());
  const char separator = SeparatorOf(text.substr(0, text.find('\n')));
  const auto names = TakeRecord(text, separator);
  if (!names || names->size() < 2)
    return BadConfig(
        "the file is neither CLIXML, JSON, CSV nor a formatted list; write it with e.g. "
        "Get-CsXmppAllowedPartner | Export-Clixml FILE");
  std::vector<LyncObject> objects;
  for (std::size_t row = 1; !text.empty(); ++row) {
    if (IsBlank(text.substr(0, text.find('\n')))) {
      TakeLine(text);
      continue;
    }
    auto fields = TakeRecord(text, separator);
    if (!fields || fields->size() != names->size())
      return BadConfig("row " + std::to_string(row) +
                       " of the CSV has other columns than its head; write it again with "
                       "Export-Csv");
    LyncObject& object = objects.emplace_back();
    object.type = type;
    for (std::size_t i = 0; i < names->size(); ++i)
      object.values.emplace((*names)[i], ReadShellValue((*fields)[i]));
  }
  return objects;
}

// "Name   : value", objects apart by empty lines; what is too long goes on, indented.
Result<std::vector<LyncObject>> ReadFormatList(std::string_view text) {
  std::vector<LyncObject> objects;
  std::string name;
  std::string value;
  bool wrapped = false;
  const auto finish = [&] {
    LyncValue read = ReadShellValue(value);
    read.wrapped = std::exchange(wrapped, false);
    if (!name.empty()) objects.back().values.emplace(name, std::move(read));
    name.clear();
  };
  bool between = true;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = TakeLine(text);
    if (IsBlank(line)) {
      finish();
      between = true;
      continue;
    }
    const std::size_t colon = line.find(':');
    const bool continues = line.front() == ' ' && !between;
    if (!continues && colon == std::string_view::npos)
      return BadConfig("line " + std::to_string(number) +
                       " is not of the form 'Name : value'; write it with Format-List");
    if (continues) {
      value.erase(value.find_last_not_of(' ') + 1);
      wrapped = true;
      value.erase(value.find_last_not_of(' ') + 1);
      value += ' ';
      value += line.substr(line.find_first_not_of(' '));
      continue;
    }
    finish();
    if (between) objects.emplace_back();
    between = false;
    const std::string_view written = line.substr(0, colon);
    name = written.substr(0, written.find_last_not_of(' ') + 1);
    value = line.substr(colon + 1);
  }
  finish();
  return objects;
}

}  // namespace gatehouse::ctl
