// What is said when a command that changes something is broken off from outside.
#pragma once

#include <cstddef>
#include <string_view>

namespace gatehouse::ctl {

// From now on SIGINT, SIGTERM and SIGHUP end the program with exit code 1 and `text` on standard
// error, in place of what was said before. At most kMaxInterruptionBytes of it.
inline constexpr std::size_t kMaxInterruptionBytes = 512;
void SayWhenInterrupted(std::string_view text);

}  // namespace gatehouse::ctl
