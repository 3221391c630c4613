// Turns a loop until something holds, at most for a few seconds.
#pragma once

#include <functional>

#include "core/loop/loop.h"

namespace gatehouse {

inline bool RunUntil(Loop& loop, const std::function<bool()>& holds) {
  const TimePoint limit = loop.Now() + seconds(10);
  while (!holds()) {
    if (loop.Now() > limit) return false;
    loop.RunOnce();
  }
  return true;
}

inline std::unique_ptr<Loop> MakeLoop() {
  return *Loop::Create();
}

}  // namespace gatehouse
