// A domain, or all domains below one: "*.fabrikam.example". As partners and the deny list name
// them.
#pragma once

#include <string_view>

namespace gatehouse {

inline constexpr std::string_view kBelow = "*.";

[[nodiscard]] constexpr bool IsWildcard(std::string_view pattern) {
  return pattern.starts_with(kBelow);
}
// What follows the "*.", or all of it.
[[nodiscard]] constexpr std::string_view BaseOf(std::string_view pattern) {
  return IsWildcard(pattern) ? pattern.substr(kBelow.size()) : pattern;
}
// One label or more below `base`, not `base` itself.
[[nodiscard]] constexpr bool IsBelow(std::string_view domain, std::string_view base) {
  return domain.size() > base.size() + 1 && domain.ends_with(base) &&
         domain[domain.size() - base.size() - 1] == '.';
}
// Whether everything `inner` (a domain or a wildcard) means is meant by `outer` too.
[[nodiscard]] constexpr bool Covers(std::string_view outer, std::string_view inner) {
  if (outer == inner) return true;
  return IsWildcard(outer) && IsBelow(BaseOf(inner), BaseOf(outer));
}

// The first answer that is true for what `domain` is below, the nearest first; else an empty one.
template <class Ask>
constexpr auto NearestAbove(std::string_view domain, Ask ask) {
  for (std::size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.')) {
    domain.remove_prefix(dot + 1);
    if (auto answer = ask(domain)) return answer;
  }
  return decltype(ask(domain)){};
}

}  // namespace gatehouse
