#include "core/sip/sip_grammar.h"

namespace gatehouse::sip_grammar {
namespace {

// Position behind the quoted string that begins at `at`; npos where it never ends.
std::size_t SkipQuoted(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::size_t FindOutsideQuotes(std::string_view text, char stop, bool skip_angles) {
  const std::size_t first = text.find(stop);
  if (first == std::string_view::npos) return first;
  const std::string_view before = text.substr(0, first);
  const bool plain = before.find('"') == std::string_view::npos &&
                     (!skip_angles || before.find('<') == std::string_view::npos);
  if (plain) return first;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == stop) return at;
    if (c == '"') {
      at = SkipQuoted(text, at);
    } else if (c == '<' && skip_angles) {
      at = text.find('>', at);
    } else {
      ++at;
    }
  }
  return std::string_view::npos;
}

bool IsBalanced(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '>') return false;
    if (text[at] == '"') {
      at = SkipQuoted(text, at);
    } else if (text[at] == '<') {
      for (++at; at < text.size() && text[at] != '>'; ++at)
        if (text[at] == '<') return false;
      if (at++ == text.size()) return false;
    } else {
      ++at;
    }
    if (at == std::string_view::npos) return false;
  }
  return true;
}

std::optional<std::string_view> Parameter(std::string_view list, std::string_view name) {
  std::optional<std::string_view> found;
  static_cast<void>(ReadParameters(list, [&](std::string_view candidate, std::string_view value) {
    if (!found && EqualsNoCase(candidate, name)) found = value;
  }));
  return found;
}

}  // namespace gatehouse::sip_grammar
