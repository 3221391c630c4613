// A ZeroMQ socket served by the loop. ZMQ_FD is edge-triggered: it tells once that something
// changed, and a send may swallow that news; so ZMQ_EVENTS is read after every wake and after every
// send, here and nowhere else.
#pragma once

#include <functional>
#include <memory>

#include "core/loop/loop.h"
#include "ipc/zmq_socket.h"

namespace gatehouse::ipc {

class ZmqOnLoop {
 public:
  // Views are valid only during the call. Called for at most 64 frames a turn. May send, but not
  // destroy this object.
  using OnFrame = std::function<void(const ZmqFrame& frame)>;

  // Bind or connect the socket first.
  static Result<std::unique_ptr<ZmqOnLoop>> Create(Loop& loop, std::unique_ptr<ZmqSocket> socket,
                                                   OnFrame on_frame);
  ~ZmqOnLoop();
  ZmqOnLoop(const ZmqOnLoop&) = delete;
  ZmqOnLoop& operator=(const ZmqOnLoop&) = delete;

  ZmqSocket::Sent Send(std::string_view to, ZmqMessage& body);
  // Looks at what has come without a turn of the loop, also from within OnFrame: a frame that
  // `taken` gives true for is done, the others come to OnFrame later, in their order. `taken` may
  // send.
  void LookAhead(const std::function<bool(const ZmqFrame& frame)>& taken);

 private:
  struct State;
  explicit ZmqOnLoop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::ipc
