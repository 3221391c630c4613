// import lync.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class ImportCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live
  // until the parsing is done.
  ImportCommands(CLI::App& app, Invocation& invocation);
  ImportCommands(const ImportCommands&) = delete;
  ImportCommands& operator=(const ImportCommands&) = delete;

 private:
  std::vector<std::string> files_;
  bool replace_ = false;
  bool dry_run_ = false;
  bool allow_lookalike_ = false;
};

}  // namespace gatehouse::ctl
