// Texts for people, such as a description: they are shown on one line, as they were written.
#pragma once

#include <string_view>

namespace gatehouse::policy_engine {

// Whether `text` (UTF-8) has what a terminal or an editor obeys instead of showing it: controls of
// ASCII and ISO 6429, line ends of Unicode, and what turns the direction of a line around.
[[nodiscard]] bool HasControls(std::string_view text);

}  // namespace gatehouse::policy_engine
