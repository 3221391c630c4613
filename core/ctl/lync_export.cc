#include "core/ctl/lync_export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "core/base/utf8_check.h"

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

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

// `high`: which octet of a pair is the high one. None: a surrogate without its other half.
std::optional<std::string> FromUtf16(std::string_view bytes, std::size_t high) {
  const auto unit = [&](std::size_t at) {
    const auto one = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    return static_cast<std::uint32_t>((one(at + high) << 8) | one(at + 1 - high));
  };
  std::string out;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xD800 && code < 0xE000) {
      const bool pair = code < 0xDC00 && at + 3 < bytes.size() && (unit(at + 2) & 0xFC00) == 0xDC00;
      if (!pair) return std::nullopt;
      at += 2;
      code = 0x10000 + ((code & 0x3FF) << 10) + (unit(at) & 0x3FF);
    }
    AppendUtf8(out, code);
  }
  return out;
}

// Text without a mark has no zero octet; UTF-16 has one in every other place, near enough.
bool LooksLikeUtf16(std::string_view bytes) {
  const std::string_view begin = bytes.substr(0, 256);
  return static_cast<std::size_t>(std::ranges::count(begin, '\0')) > begin.size() / 4;
}

Result<std::string> Decode(std::string_view bytes) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  std::optional<std::string> text;
  if (bytes.starts_with("\xFF\xFE"))
    text = FromUtf16(bytes.substr(2), 1);
  else if (bytes.starts_with("\xFE\xFF"))
    text = FromUtf16(bytes.substr(2), 0);
  else
    text = std::string(bytes.starts_with(kUtf8Mark) ? bytes.substr(kUtf8Mark.size()) : bytes);
  if (text && text->find_first_not_of(kBlanks) == std::string::npos)
    return BadConfig(std::string("the file is empty; write it again with e.g. ") + kExample);
  if (text && bytes.size() == text->size() && LooksLikeUtf16(bytes))
    return BadConfig(
        "the file is UTF-16 without a byte order mark; write it again with -Encoding UTF8");
  if (text && IsUtf8(*text) && text->find('\0') == std::string::npos) return *std::move(text);
  return BadConfig("the text is neither UTF-8 nor UTF-16; write it with -Encoding UTF8");
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
