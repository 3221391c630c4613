// The clock of this machine that nobody can set: it begins when the machine is started, goes on
// while it sleeps, and is the same for every process.
#pragma once

#include <chrono>
#include <string>

namespace gatehouse::policy_engine {

// Of this start of this machine, no other has it; empty where the kernel does not say.
[[nodiscard]] std::string BootId();
[[nodiscard]] std::chrono::seconds SinceBoot();

}  // namespace gatehouse::policy_engine
