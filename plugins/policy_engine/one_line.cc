#include "plugins/policy_engine/one_line.h"

#include <array>

namespace gatehouse::policy_engine {
namespace {

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

bool BeginsHidden(std::string_view text) {
  for (const Hidden& hidden : kHidden) {
    if (!text.starts_with(hidden.begins) || text.size() == hidden.begins.size()) continue;
    const auto last = static_cast<unsigned char>(text[hidden.begins.size()]);
    if (last >= hidden.first && last <= hidden.last) return true;
  }
  return false;
}

}  // namespace

bool HasControls(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte < 0x20 || byte == 0x7f || BeginsHidden(text)) return true;
  }
  return false;
}

}  // namespace gatehouse::policy_engine
