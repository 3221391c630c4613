// dns check, dns plan.
#pragma once

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

// Adds the commands to `app`; parsing them fills `invocation`.
void AddDnsCommands(CLI::App& app, Invocation& invocation);

// --config of a command that works without a supervisor.
void AddConfigOption(CLI::App& command, Invocation& invocation);

}  // namespace gatehouse::ctl
