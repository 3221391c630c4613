// gateway get, set.
#pragma once

#include <cstdint>
#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class GatewayCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  GatewayCommands(CLI::App& app, Invocation& invocation);
  GatewayCommands(const GatewayCommands&) = delete;
  GatewayCommands& operator=(const GatewayCommands&) = delete;

 private:
  void AddSet(CLI::App& parent, Invocation& invocation);

  proto::CtlRequest set_;
  std::string passphrase_file_;
};

}  // namespace gatehouse::ctl
