// One child, started by fork *and* exec.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/loop/loop.h"

namespace gatehouse {

class ChildProcess {
 public:
  struct Exit {
    int status = 0;  // of exit(); meaningless when `signal` is not 0
    int signal = 0;
  };
  struct Plan {
    std::vector<std::string> command;  // [0] is the path of the program
    std::vector<int> descriptors;      // become 3, 4, ... in the child; stay open here
    int standard_error = 2;            // becomes 2 in the child; stays open here
    int standard_input = 0;
    int standard_output = 1;
    // "A=b"; nullopt: ours.
    std::optional<std::vector<std::string>> environment = {};
    bool own_group = false;  // of processes, so that KillGroup reaches whom it started
  };
  // `on_exit` is called once, after the child was reaped.
  static Result<std::unique_ptr<ChildProcess>> Spawn(Loop& loop, const Plan& plan,
                                                     std::function<void(Exit)> on_exit);
  ~ChildProcess();  // the child lives on, on_exit is not called any more
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] int pid() const;
  void Kill(int signal);       // does nothing after on_exit
  void KillGroup(int signal);  // of a child with own_group; does nothing after on_exit

 private:
  struct State;
  explicit ChildProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
