#include "core/base/text_encoding.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/base/utf8_check.h"

namespace gatehouse {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

NoText NoTextBehind(std::string_view sound, std::string_view what) {
  return {static_cast<int>(std::ranges::count(sound, '\n')) + 1, what};
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

// `high`: which octet of a pair is the high one.
Result<std::string, NoText> FromUtf16(std::string_view bytes, std::size_t high) {
  const auto unit = [&](std::size_t at) {
    const auto one = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    return static_cast<std::uint32_t>((one(at + high) << 8) | one(at + 1 - high));
  };
  const auto broken = [](std::string_view sound) {
    return std::unexpected(NoTextBehind(sound, "has half a character of UTF-16"));
  };
  std::string out;
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xD800 && code < 0xE000) {
      const bool pair = code < 0xDC00 && at + 3 < bytes.size() && (unit(at + 2) & 0xFC00) == 0xDC00;
      if (!pair) return broken(out);
      at += 2;
      code = 0x10000 + ((code & 0x3FF) << 10) + (unit(at) & 0x3FF);
    }
    AppendUtf8(out, code);
  }
  return at == bytes.size() ? Result<std::string, NoText>(std::move(out)) : broken(out);
}

// Text without a mark has no zero octet; UTF-16 has one in every other place, near enough.
bool LooksLikeUtf16(std::string_view bytes) {
  const std::string_view begin = bytes.substr(0, 256);
  return static_cast<std::size_t>(std::ranges::count(begin, '\0')) > begin.size() / 4;
}

Result<std::string, NoText> Unmarked(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE")) return FromUtf16(bytes.substr(2), 1);
  if (bytes.starts_with("\xFE\xFF")) return FromUtf16(bytes.substr(2), 0);
  if (LooksLikeUtf16(bytes))
    return std::unexpected(NoText{1, "is in UTF-16 without a byte order mark"});
  return std::string(bytes.starts_with(kUtf8Mark) ? bytes.substr(kUtf8Mark.size()) : bytes);
}

}  // namespace

Result<std::string, NoText> DecodeText(std::string_view bytes) {
  Result<std::string, NoText> text = Unmarked(bytes);
  if (!text) return text;
  Utf8Check check;
  const std::size_t sound = check.Feed(std::as_bytes(std::span(*text)));
  if (sound < text->size() || !check.complete())
    return std::unexpected(
        NoTextBehind(std::string_view(*text).substr(0, sound), "is not in UTF-8"));
  if (const std::size_t zero = text->find('\0'); zero != std::string::npos)
    return std::unexpected(
        NoTextBehind(std::string_view(*text).substr(0, zero), "has a zero octet"));
  return text;
}

}  // namespace gatehouse
