// Owner of the process's one ZeroMQ context. Make it after the last fork: its I/O thread does not
// survive one.
#pragma once

#include <memory>

#include "core/base/result.h"

namespace gatehouse::ipc {

class ZmqContext {
 public:
  static Result<std::unique_ptr<ZmqContext>> Create();
  ~ZmqContext();  // waits for the sockets' linger
  ZmqContext(const ZmqContext&) = delete;
  ZmqContext& operator=(const ZmqContext&) = delete;

  [[nodiscard]] void* raw() const { return context_; }  // for ipc only

 private:
  explicit ZmqContext(void* context) : context_(context) {}
  void* context_;
};

}  // namespace gatehouse::ipc
