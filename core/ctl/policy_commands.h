// policy test.
#pragma once

#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class PolicyCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  PolicyCommands(CLI::App& app, Invocation& invocation);
  PolicyCommands(const PolicyCommands&) = delete;
  PolicyCommands& operator=(const PolicyCommands&) = delete;

 private:
  void AddTest(CLI::App& parent, Invocation& invocation);

  std::string from_;
  std::string to_;
  std::string kind_;
};

}  // namespace gatehouse::ctl
