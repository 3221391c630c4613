// config check, history, diff, rollback.
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
  void AddRevisions(CLI::App& config, Invocation& invocation);

  std::string file_;
  std::uint32_t last_ = 20;
  std::uint64_t from_ = 0;
  std::uint64_t to_ = 0;
};

}  // namespace gatehouse::ctl
