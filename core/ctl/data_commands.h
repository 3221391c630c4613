// export, apply, backup, restore.
#pragma once

#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class DataCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  DataCommands(CLI::App& app, Invocation& invocation);
  DataCommands(const DataCommands&) = delete;
  DataCommands& operator=(const DataCommands&) = delete;

 private:
  void AddStoreCommands(CLI::App& app, Invocation& invocation);

  std::string file_;
  bool contacts_ = false;
  bool dry_run_ = false;
  bool allow_lookalike_ = false;
};

}  // namespace gatehouse::ctl
