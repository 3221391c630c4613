// why.
#pragma once

#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class WhyCommand {
 public:
  // Adds itself to `app`; parsing it fills `invocation`. Must live until the parsing is done.
  WhyCommand(CLI::App& app, Invocation& invocation);
  WhyCommand(const WhyCommand&) = delete;
  WhyCommand& operator=(const WhyCommand&) = delete;

 private:
  std::string id_;
  std::string partner_;
  bool list_ = false;
  bool reasons_ = false;
};

}  // namespace gatehouse::ctl
