// Texts for people, such as a description: they are shown on one line, as they were written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

// Whether `text` (UTF-8) has what a terminal or an editor obeys instead of showing it: controls of
// ASCII and ISO 6429, line ends of Unicode, and what turns the direction of a line around.
[[nodiscard]] bool HasControls(std::string_view text);
// `text` (UTF-8) with a '?' for each of them, but for `kept`, which is one of ASCII.
[[nodiscard]] std::string WithoutControls(std::string_view text, char kept = '\0');
// `text` (UTF-8) with one blank for each run of them; none where they begin or end it.
[[nodiscard]] std::string OneLine(std::string_view text);
// Of a description; a few sentences.
inline constexpr std::size_t kMaxDescriptionBytes = 1024;

}  // namespace gatehouse
