#include "plugins/sip_translator/text.h"

#include <algorithm>
#include <cstdint>

#include "core/base/utf8_check.h"

namespace gatehouse::translator {
namespace {

struct Character {
  std::size_t octets = 0;  // 0: the octets are no UTF-8
  std::uint32_t code = 0;
};

// The character `text` starts with.
Character First(std::string_view text) {
  const std::size_t length = CharacterLength(text);
  if (length == 0) return {};
  const auto first = static_cast<unsigned char>(text[0]);
  std::uint32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (const char next : text.substr(1, length - 1))
    code = (code << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
  return {length, code};
}

bool IsControl(std::uint32_t code) {
  return code < 0x20 || code == 0x7F;
}
// C1 controls are no text either, and U+2028/2029 are line ends in some readers.
bool BreaksLine(std::uint32_t code) {
  return IsControl(code) || (code >= 0x80 && code <= 0x9F) || code == 0x2028 || code == 0x2029;
}

// Calls visit(code, octets) for each character; octets that are no UTF-8 are skipped.
template <class Visit>
void ForEachCharacter(std::string_view text, Visit visit) {
  for (std::size_t i = 0; i < text.size();) {
    const Character character = First(text.substr(i));
    if (character.octets != 0) visit(character.code, text.substr(i, character.octets));
    i += std::max<std::size_t>(character.octets, 1);
  }
}

std::string_view Trimmed(std::string_view line) {
  const auto start = line.find_first_not_of(' ');
  if (start == std::string_view::npos) return {};
  return line.substr(start, line.find_last_not_of(' ') - start + 1);
}

}  // namespace

std::string CleanForXmpp(std::string text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet >= 0x20 && octet < 0x80) || c == '\t' || c == '\n';
  });
  if (plain) return text;  // most messages
  std::string clean;
  clean.reserve(text.size());
  ForEachCharacter(text, [&clean](std::uint32_t code, std::string_view octets) {
    const bool forbidden =
        (code < 0x20 && code != '\t' && code != '\n') || code == 0xFFFE || code == 0xFFFF;
    if (!forbidden) clean += octets;
  });
  return clean;
}

std::string OneLine(std::string_view text, std::size_t max_octets) {
  const bool plain =
      text.size() <= max_octets && std::ranges::all_of(text, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
      });
  if (plain) return std::string(Trimmed(text));  // most lines
  std::string line;
  bool full = false;
  ForEachCharacter(text, [&](std::uint32_t code, std::string_view octets) {
    if (code == '\r') return;  // CRLF is one line end
    const std::string_view piece = BreaksLine(code) ? std::string_view(" ") : octets;
    full = full || line.size() + piece.size() > max_octets;
    if (!full) line += piece;
  });
  return std::string(Trimmed(line));
}

std::string CleanReason(std::string_view phrase) {
  if (!IsUtf8(phrase)) return {};
  std::string clean;
  std::size_t characters = 0;
  ForEachCharacter(phrase, [&](std::uint32_t code, std::string_view octets) {
    if (BreaksLine(code)) return;
    clean += octets;
    ++characters;
  });
  return characters <= kMaxReasonCharacters ? clean : std::string();
}

}  // namespace gatehouse::translator
