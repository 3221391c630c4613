// gatehousectl and the supervisor: one request, one response.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/loop/loop.h"
#include "ipc/zmq_context.h"
#include "proto/ctl.pb.h"

namespace gatehouse::ipc {

// The supervisor's end.
class CtlServer {
 public:
  using Reply = std::function<void(proto::CtlResponse)>;
  // `reply` is called once, now or later, but not after the server's end; it sets the response's id
  // itself. The request's actor is the user the socket proves (SO_PEERCRED), whatever the client
  // wrote; a client the kernel does not name is refused.
  using OnRequest = std::function<void(const proto::CtlRequest& request, Reply reply)>;
  // `address` is "ipc://PATH". A request that cannot be read is answered with exit code 2.
  static Result<std::unique_ptr<CtlServer>> Create(Loop& loop, ZmqContext& context,
                                                   const std::string& address,
                                                   OnRequest on_request);
  virtual ~CtlServer() = default;
};

// gatehousectl's end: sends and waits. The one place in the project that blocks.
//   gives  nothing when no response came within `limit`: nobody knows whether it was carried out
//   fails  kTrouble: nobody listens at `address`, or what came back cannot be read; kConfig: this
//   user may not ask there
Result<std::optional<proto::CtlResponse>> CallSupervisor(const std::string& address,
                                                         const proto::CtlRequest& request,
                                                         milliseconds limit);

}  // namespace gatehouse::ipc
