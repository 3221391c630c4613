// "A,B" as operators write lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::ctl {

// The parts between the commas, empty ones as well; none of an empty text.
[[nodiscard]] std::vector<std::string> SplitAtCommas(std::string_view text);

}  // namespace gatehouse::ctl
