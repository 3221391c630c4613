// What Lync's or Skype for Business's management shell wrote to a file: objects with named values.
// Export-Clixml, ConvertTo-Json, Export-Csv and Format-List, in UTF-8 or UTF-16.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace gatehouse::ctl {

// Far above what an organisation has in partners.
inline constexpr std::size_t kMaxExportBytes = std::size_t{16} * 1024 * 1024;

struct LyncValue {
  std::vector<std::string> items;  // of a single value: one, or none where it is null or empty
  bool cut = false;                // the shell left out the rest of a list ("...")
  bool wrapped = false;  // the shell has gone on in another line: a blank may be one's end
  [[nodiscard]] std::string Text() const;  // the items, blanks between them
};
// Names of properties are the same in any case.
struct NameLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
struct LyncObject {
  std::string type;  // .NET type where the format tells; else empty
  std::map<std::string, LyncValue, NameLess> values;
  [[nodiscard]] const LyncValue* Find(std::string_view name) const;
  [[nodiscard]] std::string Text(std::string_view name) const;  // empty: not there
};

// All objects of the file's content, in order. Which format it is shows in its first characters.
//   fails  kConfig, one sentence with the remedy: neither of the formats, not well-formed, too
//          large, no object at all
[[nodiscard]] Result<std::vector<LyncObject>> ReadLyncExport(std::string_view bytes);

// --- the formats, from UTF-8
Result<std::vector<LyncObject>> ReadClixml(std::string_view text);
Result<std::vector<LyncObject>> ReadLyncJson(std::string_view text);
Result<std::vector<LyncObject>> ReadLyncCsv(std::string_view text);
Result<std::vector<LyncObject>> ReadFormatList(std::string_view text);

// A list as the shell prints one, "{a, b}"; or a single text.
[[nodiscard]] LyncValue ReadShellValue(std::string_view text);

}  // namespace gatehouse::ctl
