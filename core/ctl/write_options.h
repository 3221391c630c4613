// What every command that changes federation data takes besides: --reason and --if-revision.
#pragma once

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

void AddWriteOptions(CLI::App& command, Invocation& invocation);

}  // namespace gatehouse::ctl
