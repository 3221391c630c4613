// Calls back when a descriptor has bytes to read or has reached its end; reading is the caller's.
#pragma once

#include <functional>
#include <memory>

#include "core/loop/loop.h"

namespace gatehouse {

class ReadableWatch {
 public:
  // `fd` stays the caller's and outlives this object.
  static Result<std::unique_ptr<ReadableWatch>> Create(Loop& loop, int fd,
                                                       std::function<void()> on_readable);
  ~ReadableWatch();
  ReadableWatch(const ReadableWatch&) = delete;
  ReadableWatch& operator=(const ReadableWatch&) = delete;

 private:
  struct State;
  explicit ReadableWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
