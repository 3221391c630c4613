// Calls back on the loop for each arrival of one signal. Destroying it restores the default.
#pragma once

#include <functional>
#include <memory>

#include "core/loop/loop.h"

namespace gatehouse {

class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal, std::function<void()> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
