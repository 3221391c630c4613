#include "plugins/sip_translator/charset.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/address/ascii.h"
#include "core/base/utf8_check.h"
#include "plugins/sip_translator/text.h"

namespace gatehouse::translator {
namespace {

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto tail = [code](unsigned shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += {static_cast<char>(0xC0U | (code >> 6U)), tail(0)};
  } else if (code < 0x10000) {
    out += {static_cast<char>(0xE0U | (code >> 12U)), tail(6), tail(0)};
  } else {
    out += {static_cast<char>(0xF0U | (code >> 18U)), tail(12), tail(6), tail(0)};
  }
}

// windows-1252 0x80 to 0x9F; 0 is unassigned. https://encoding.spec.whatwg.org/#index-windows-1252
constexpr std::array<std::uint16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::string FromLatin1(std::string_view octets) {
  std::string out;
  for (const char octet : octets) AppendUtf8(out, static_cast<unsigned char>(octet));
  return out;
}

std::optional<std::string> FromWindows1252(std::string_view octets) {
  std::string out;
  for (const char octet : octets) {
    const std::uint32_t value = static_cast<unsigned char>(octet);
    const bool own = value >= 0x80 && value <= 0x9F;
    const std::uint32_t code = own ? kWindows1252[value - 0x80] : value;
    if (own && code == 0) return std::nullopt;
    AppendUtf8(out, code);
  }
  return out;
}

std::optional<std::string> FromUtf16(std::string_view octets, bool big_endian) {
  if (octets.size() % 2 != 0) return std::nullopt;
  const auto unit = [&](std::size_t at) -> std::uint32_t {
    const std::uint32_t first = static_cast<unsigned char>(octets[at]);
    const std::uint32_t second = static_cast<unsigned char>(octets[at + 1]);
    return big_endian ? first << 8U | second : second << 8U | first;
  };
  std::string out;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xDC00 && code <= 0xDFFF) return std::nullopt;
    if (code >= 0xD800 && code <= 0xDBFF) {
      i += 2;
      const std::uint32_t low = i < octets.size() ? unit(i) : 0;
      if (low < 0xDC00 || low > 0xDFFF) return std::nullopt;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    AppendUtf8(out, code);
  }
  return out;
}

// RFC 2781 §4.3: a byte order mark decides, without one it is big-endian.
std::optional<std::string> FromMarkedUtf16(std::string_view octets) {
  if (octets.starts_with("\xFF\xFE")) return FromUtf16(octets.substr(2), false);
  if (octets.starts_with("\xFE\xFF")) return FromUtf16(octets.substr(2), true);
  return FromUtf16(octets, true);
}

std::optional<std::string> FromUtf8(std::string octets) {
  if (octets.starts_with("\xEF\xBB\xBF")) octets.erase(0, 3);
  if (!IsUtf8(octets)) return std::nullopt;
  return octets;
}

}  // namespace

std::optional<std::string> DecodeCharset(std::string octets, std::string_view charset) {
  const std::string name = ascii::Lower(charset);
  if (name.empty() || name == "utf-8" || name == "utf8") return FromUtf8(std::move(octets));
  if (name == "us-ascii" || name == "ascii") {
    const bool seven_bit = std::ranges::none_of(octets, [](char c) { return (c & 0x80) != 0; });
    return seven_bit ? std::optional(std::move(octets)) : std::nullopt;
  }
  if (name == "iso-8859-1" || name == "latin1") return FromLatin1(octets);
  if (name == "windows-1252") return FromWindows1252(octets);
  if (name == "utf-16") return FromMarkedUtf16(octets);
  if (name == "utf-16le") return FromUtf16(octets, false);
  if (name == "utf-16be") return FromUtf16(octets, true);
  return std::nullopt;
}

}  // namespace gatehouse::translator
