// test im, test sip, test stream.
#pragma once

#include <cstdint>
#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class TestCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  TestCommands(CLI::App& app, Invocation& invocation);
  TestCommands(const TestCommands&) = delete;
  TestCommands& operator=(const TestCommands&) = delete;

 private:
  std::string from_;
  std::string to_;
  std::string domain_;
  std::string local_domain_;
};

}  // namespace gatehouse::ctl
