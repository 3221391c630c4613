// The few character rules of RFC 3261 §25 that more than one file here needs.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace gatehouse::sip_grammar {

[[nodiscard]] constexpr char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool IsHex(char c) {
  return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f');
}
[[nodiscard]] constexpr bool IsSpace(char c) {
  return c == ' ' || c == '\t';
}

// token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> allowed{};
  for (char c : std::string_view("-.!%*_+`'~0123456789"))
    allowed[static_cast<unsigned char>(c)] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) allowed[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) allowed[c] = true;
  return allowed;
}();
[[nodiscard]] constexpr bool IsToken(std::string_view text) {
  for (char c : text)
    if (!kTokenCharacters[static_cast<unsigned char>(c)]) return false;
  return !text.empty();
}

// Characters as a set: one table look-up a character, where find_first_of would make a library call
// for each.
class CharacterSet {
 public:
  constexpr explicit CharacterSet(std::string_view members) {
    for (const char c : members) has_[static_cast<unsigned char>(c)] = true;
  }
  [[nodiscard]] constexpr bool Has(char c) const { return has_[static_cast<unsigned char>(c)]; }
  // Whether `text` holds any of them.
  [[nodiscard]] constexpr bool In(std::string_view text) const {
    for (const char c : text)
      if (Has(c)) return true;
    return false;
  }

 private:
  std::array<bool, 256> has_{};
};

[[nodiscard]] constexpr std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}
[[nodiscard]] constexpr bool EqualsNoCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (Lower(a[i]) != Lower(b[i])) return false;
  return true;
}

// The whole text as a decimal number; nullopt when it is none or does not fit T.
template <class T>
[[nodiscard]] std::optional<T> Number(std::string_view text) {
  T value{};
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Finds `stop` outside quoted strings, and outside <> where `skip_angles`; npos when there is none.
[[nodiscard]] std::size_t FindOutsideQuotes(std::string_view text, char stop, bool skip_angles);
// True where every quoted string ends and angle brackets pair up.
[[nodiscard]] bool IsBalanced(std::string_view text);

// Reads ";name=value;name" to its end; `take(name, value)` gets each, the value empty where there
// is none. White space around names and values is allowed. False when a name is missing or no
// token.
template <class Take>
bool ReadParameters(std::string_view list, const Take& take) {
  while (!list.empty()) {
    list.remove_prefix(1);  // the semicolon
    const std::size_t end = FindOutsideQuotes(list, ';', false);
    const std::string_view item = list.substr(0, end);
    const std::size_t equals = item.find('=');
    const std::string_view name = Trim(item.substr(0, equals));
    if (!IsToken(name)) return false;
    take(name,
         equals == std::string_view::npos ? std::string_view{} : Trim(item.substr(equals + 1)));
    if (end == std::string_view::npos) break;
    list.remove_prefix(end);
  }
  return true;
}
// Value of one parameter of such a list; "" without value; nullopt: absent.
[[nodiscard]] std::optional<std::string_view> Parameter(std::string_view list,
                                                        std::string_view name);

}  // namespace gatehouse::sip_grammar
