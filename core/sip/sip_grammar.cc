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

std::size_t FindOutsideQuotes(std::string_view text, std::string_view stops, bool skip_angles) {
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (stops.find(c) != std::string_view::npos) return at;
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
      const std::size_t end = text.find_first_of("<>", at + 1);
      at = end == std::string_view::npos || text[end] == '<' ? std::string_view::npos : end + 1;
    } else {
      ++at;
    }
    if (at == std::string_view::npos) return false;
  }
  return true;
}

std::optional<std::string_view> Parameter(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    list.remove_prefix(1);  // the semicolon
    const std::size_t end = FindOutsideQuotes(list, ";", false);
    const std::string_view item = list.substr(0, end);
    const std::size_t equals = item.find('=');
    if (EqualsNoCase(Trim(item.substr(0, equals)), name))
      return equals == std::string_view::npos ? std::string_view{} : Trim(item.substr(equals + 1));
    if (end == std::string_view::npos) break;
    list.remove_prefix(end);
  }
  return std::nullopt;
}

}  // namespace gatehouse::sip_grammar
