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
// For a sentence that quotes what others wrote: `text` (UTF-8) without controls, and with " ... "
// in place of the middle where it is longer than any sentence of ours, so that who is told it sees
// what is wrong and the remedy.
[[nodiscard]] std::string AsSentence(std::string_view text);
inline constexpr std::size_t kMaxSentenceBytes = 800;
// Of a description; a few sentences.
inline constexpr std::size_t kMaxDescriptionBytes = 1024;

}  // namespace gatehouse
