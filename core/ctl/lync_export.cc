#include "core/ctl/lync_export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text_encoding.h"

namespace gatehouse::ctl {
namespace {

constexpr const char* kExample = "Get-CsXmppAllowedPartner | Export-Clixml FILE";
constexpr std::string_view kBlanks = " \t\r\n";

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

Result<std::string> Decode(std::string_view bytes) {
  Result<std::string, NoText> text = DecodeText(bytes);
  if (!text)
    return BadConfig(fmt::format("line {} {}; write it again with -Encoding UTF8",
                                 text.error().line, text.error().what));
  if (text->find_first_not_of(kBlanks) == std::string::npos)
    return BadConfig(std::string("the file is empty; write it again with e.g. ") + kExample);
  return *std::move(text);
}

Result<std::vector<LyncObject>> ReadText(std::string_view text) {
  const std::string_view begun =
      text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (begun.starts_with('<')) return ReadClixml(begun);
  if (begun.starts_with('{') || begun.starts_with('[')) return ReadLyncJson(begun);
  const std::string_view line = begun.substr(0, begun.find('\n'));
  if (begun.starts_with("#TYPE") || begun.starts_with('"') || line.find(" : ") == line.npos)
    return ReadLyncCsv(begun);
  return ReadFormatList(text);
}

}  // namespace

std::string LyncValue::Text() const {
  return fmt::format("{}", fmt::join(items, " "));
}

bool NameLess::operator()(std::string_view a, std::string_view b) const {
  return std::ranges::lexicographical_compare(a, b, {}, Lower, Lower);
}

const LyncValue* LyncObject::Find(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

std::string LyncObject::Text(std::string_view name) const {
  const LyncValue* value = Find(name);
  return value == nullptr ? std::string() : value->Text();
}

LyncValue ReadShellValue(std::string_view text) {
  LyncValue value;
  text = Trim(text);
  if (!text.starts_with('{') || !text.ends_with('}')) {
    if (!text.empty()) value.items.emplace_back(text);
    return value;
  }
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = Trim(text.substr(0, comma));
    for (const std::string_view dots : {"...", "\u2026"})
      if (item.ends_with(dots)) {
        value.cut = true;
        item.remove_suffix(dots.size());
      }
    if (!item.empty()) value.items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return value;
}

Result<std::vector<LyncObject>> ReadLyncExport(std::string_view bytes) {
  if (bytes.size() > kMaxExportBytes)
    return BadConfig(fmt::format("the file has more than {} octets; export what is about XMPP only",
                                 kMaxExportBytes));
  GATEHOUSE_TRY(const std::string text, Decode(bytes));
  GATEHOUSE_TRY(std::vector<LyncObject> objects, ReadText(text));
  if (!objects.empty()) return objects;
  return BadConfig(std::string("the file has no object; write it with e.g. ") + kExample);
}

}  // namespace gatehouse::ctl
