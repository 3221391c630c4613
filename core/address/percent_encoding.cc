#include "core/address/percent_encoding.h"

#include "core/address/ascii.h"

namespace gatehouse {

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string PercentEncode(std::string_view text, std::string_view keep) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char octet : text) {
    const auto value = static_cast<unsigned char>(octet);
    if (ascii::IsAlphanumeric(octet) || keep.find(octet) != std::string_view::npos) {
      encoded += octet;
      continue;
    }
    encoded += '%';
    encoded += kHex[value >> 4];
    encoded += kHex[value & 15];
  }
  return encoded;
}

}  // namespace gatehouse
