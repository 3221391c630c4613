// One timer. Destroying it stops it.
#pragma once

#include <functional>
#include <memory>

#include "core/base/clock.h"
#include "core/loop/loop.h"

namespace gatehouse {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void Start(milliseconds delay);  // once; starting a running timer sets it anew
  void StartRepeating(milliseconds every);
  void Stop();
  [[nodiscard]] bool active() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
