// Numbers on the command line: digits only, where CLI11 would take "0x10", " 5" and "1'000" too.
#pragma once

#include <cstdint>
#include <limits>

namespace CLI {
class Validator;
}

namespace gatehouse::ctl {

// For an option's check(): a whole number from 0 to `most`, or one sentence that says so.
[[nodiscard]] CLI::Validator NumberCheck(
    std::uint64_t most = std::numeric_limits<std::uint32_t>::max());

}  // namespace gatehouse::ctl
