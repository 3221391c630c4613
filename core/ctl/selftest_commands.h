// selftest matrix.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class SelftestCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  SelftestCommands(CLI::App& app, Invocation& invocation);
  SelftestCommands(const SelftestCommands&) = delete;
  SelftestCommands& operator=(const SelftestCommands&) = delete;

 private:
  std::vector<int> rows_;
  std::string direction_;
};

}  // namespace gatehouse::ctl
