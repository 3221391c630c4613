// status, stop, reload: the running Gatehouse as a whole.
#pragma once

#include <cstdint>
#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class InstanceCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  InstanceCommands(CLI::App& app, Invocation& invocation);
  InstanceCommands(const InstanceCommands&) = delete;
  InstanceCommands& operator=(const InstanceCommands&) = delete;

 private:
  std::uint32_t drain_s_ = 30;
};

}  // namespace gatehouse::ctl
