#include "core/base/utf8_check.h"

#include <cstring>

namespace gatehouse {
namespace {

struct Lead {
  int missing;
  std::uint8_t lowest, highest;  // of the second byte
};

// What a lead byte asks for; missing is 0 where it is none. RFC 3629 §4
Lead LeadOf(std::uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes from `at` on are ASCII, in steps of eight.
std::size_t AsciiWords(std::span<const std::byte> bytes, std::size_t at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  const std::size_t begin = at;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    if ((word & kHighBits) != 0) break;
  }
  return at - begin;
}

}  // namespace

std::size_t Utf8Check::Feed(std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (missing_ == 0) {
      i += AsciiWords(bytes, i);
      if (i == bytes.size()) return i;
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes[i]);
    if (missing_ > 0) {
      if (byte < lowest_ || byte > highest_) return i;
      --missing_;
      lowest_ = 0x80;
      highest_ = 0xBF;
    } else if (byte >= 0x80) {
      const Lead lead = LeadOf(byte);
      if (lead.missing == 0) return i;
      missing_ = lead.missing;
      lowest_ = lead.lowest;
      highest_ = lead.highest;
    }
  }
  return bytes.size();
}

bool IsUtf8(std::string_view text) {
  Utf8Check check;
  return check.Feed(std::as_bytes(std::span(text))) == text.size() && check.complete();
}

std::size_t CharacterLength(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = 1 + static_cast<std::size_t>(LeadOf(lead).missing);
  if (length == 1 || length > text.size()) return 0;
  return IsUtf8(text.substr(0, length)) ? length : 0;
}

std::string_view BeginningOf(std::string_view text, std::size_t max_octets) {
  if (text.size() <= max_octets) return text;
  const auto continues = [&](std::size_t at) {
    return (static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80;
  };
  while (max_octets > 0 && continues(max_octets)) --max_octets;
  return text.substr(0, max_octets);
}

std::string AsUtf8(std::string_view text) {
  std::string sound;
  while (!text.empty()) {
    const std::size_t octets = CharacterLength(text);
    sound += octets == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, octets);
    text.remove_prefix(octets == 0 ? 1 : octets);
  }
  return sound;
}

}  // namespace gatehouse
