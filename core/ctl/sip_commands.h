// sip plan.
#pragma once

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

// Adds the command to `app`; parsing it fills `invocation`.
void AddSipCommands(CLI::App& app, Invocation& invocation);

}  // namespace gatehouse::ctl
