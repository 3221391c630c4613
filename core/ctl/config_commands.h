// config check.
#pragma once

#include <cstdint>
#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class ConfigCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  ConfigCommands(CLI::App& app, Invocation& invocation);
  ConfigCommands(const ConfigCommands&) = delete;
  ConfigCommands& operator=(const ConfigCommands&) = delete;

 private:
  std::string file_;
};

}  // namespace gatehouse::ctl
