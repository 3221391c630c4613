#include "ipc/zmq_context.h"

#include <zmq.h>

#include <cerrno>

namespace gatehouse::ipc {

Result<std::unique_ptr<ZmqContext>> ZmqContext::Create() {
  void* context = zmq_ctx_new();
  if (context == nullptr)
    return Trouble(std::string("ZeroMQ context: ") + zmq_strerror(zmq_errno()));
  return std::unique_ptr<ZmqContext>(new ZmqContext(context));  // NOLINT: private constructor
}

ZmqContext::~ZmqContext() {
  while (zmq_ctx_term(context_) != 0 && zmq_errno() == EINTR) {
  }
}

}  // namespace gatehouse::ipc
