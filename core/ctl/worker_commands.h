// worker list, restart, scale, drain.
#pragma once

#include <cstdint>
#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class WorkerCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  WorkerCommands(CLI::App& app, Invocation& invocation);
  WorkerCommands(const WorkerCommands&) = delete;
  WorkerCommands& operator=(const WorkerCommands&) = delete;

 private:
  void AddNamed(CLI::App& parent, Invocation& invocation, proto::WorkerCommand::Verb verb);

  std::string name_;
  std::string plugin_;
  std::uint32_t count_ = 0;
};

}  // namespace gatehouse::ctl
