#include "core/base/one_line.h"

#include <array>

#include "core/base/utf8_check.h"

namespace gatehouse {
namespace {

// What is left of a sentence that is too long.
constexpr std::size_t kSentenceBegin = 200;
constexpr std::size_t kSentenceEnd = 300;

// Of two or three octets in UTF-8; the last octet is one of a range.
struct Hidden {
  std::string_view begins;
  unsigned char first;
  unsigned char last;
};
constexpr std::array kHidden = {
    Hidden{"\xC2", 0x80, 0x9F},      // C1
    Hidden{"\xE2\x80", 0xA8, 0xAE},  // line and paragraph separator, embeddings and overrides
    Hidden{"\xE2\x81", 0xA6, 0xA9},  // isolates
};

// Of the control that `text` begins with; 0: with none.
std::size_t OctetsOfControl(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte < 0x20 || byte == 0x7f) return 1;
  for (const Hidden& hidden : kHidden) {
    if (!text.starts_with(hidden.begins) || text.size() == hidden.begins.size()) continue;
    const auto last = static_cast<unsigned char>(text[hidden.begins.size()]);
    if (last >= hidden.first && last <= hidden.last) return hidden.begins.size() + 1;
  }
  return 0;
}

}  // namespace

bool HasControls(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1))
    if (OctetsOfControl(text) != 0) return true;
  return false;
}

std::string WithoutControls(std::string_view text, char kept) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t control = OctetsOfControl(text);
    const bool is_kept = kept != '\0' && text.front() == kept;
    shown += control == 0 || is_kept ? text.front() : '?';
    text.remove_prefix(control == 0 ? 1 : control);
  }
  return shown;
}

std::string OneLine(std::string_view text) {
  std::string line;
  bool after_control = false;
  while (!text.empty()) {
    const std::size_t control = OctetsOfControl(text);
    if (control == 0) {
      if (after_control && !line.empty()) line += ' ';
      line += text.front();
    }
    after_control = control != 0;
    text.remove_prefix(control == 0 ? 1 : control);
  }
  return line;
}

std::string AsSentence(std::string_view text) {
  if (text.size() <= kMaxSentenceBytes) return WithoutControls(text);
  const std::string_view begin = BeginningOf(text, kSentenceBegin);
  // No character is cut in two there either.
  const std::size_t all_but_end = BeginningOf(text, text.size() - kSentenceEnd).size();
  return WithoutControls(begin) + " ... " + WithoutControls(text.substr(all_but_end));
}

}  // namespace gatehouse
