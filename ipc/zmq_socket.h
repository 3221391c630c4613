// Owner of one ZeroMQ socket: ROUTER for the end that binds, DEALER for the one that connects.
// Never blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "ipc/zmq_context.h"
#include "ipc/zmq_message.h"

namespace gatehouse::ipc {

enum class ZmqKind : std::uint8_t { kRouter, kDealer };

// One frame received.
struct ZmqFrame {
  std::string_view from;  // the sender's routing id; empty on a DEALER
  std::string_view body;
  bool well_formed = true;  // false: other parts than one frame has
  // Who is at the other end of the Unix socket, as the kernel says (SO_PEERCRED); asked for by
  // Options::tell_uid.
  std::optional<std::uint32_t> uid;
};

class ZmqSocket {
 public:
  struct Options {
    std::string routing_id;  // DEALER: our instance name
    std::size_t max_message_bytes =
        0;                            // a larger one makes ZeroMQ drop the connection; 0: no limit
    int high_water_messages = 10000;  // above every window: reaching it is a bug
    milliseconds linger{200};         // how long closing may wait for unsent messages
    // DEALER: messages wait in the socket while nobody listens. False: they are refused as kNoPeer.
    bool queue_unconnected = true;
    bool tell_uid = false;  // each frame says who sent it
  };
  enum class Sent : std::uint8_t {
    kSent,
    kNoPeer,  // nobody is connected; a DEALER that does not queue cannot tell this from kFull
    kFull     // the high-water mark is reached
  };

  static Result<std::unique_ptr<ZmqSocket>> Create(ZmqContext& context, ZmqKind kind,
                                                   const Options& options);
  ~ZmqSocket();
  ZmqSocket(const ZmqSocket&) = delete;
  ZmqSocket& operator=(const ZmqSocket&) = delete;

  //   address  "ipc://PATH"
  //   fails    kConfig when it is none, or PATH is longer than sun_path holds; kTrouble with the
  //   system's reason
  Result<void> Bind(const std::string& address);
  // Needs no listener yet; ZeroMQ tries again every 20 to 100 ms.
  Result<void> Connect(const std::string& address);

  // `to` is ignored by a DEALER. `body` is emptied when sent.
  Sent Send(std::string_view to, ZmqMessage& body);
  // False when there is none now. `from` and `body` hold what `frame` looks at.
  bool Receive(ZmqMessage& from, ZmqMessage& body, ZmqFrame& frame);

  // ZMQ_FD: edge-triggered, read readable() after every wake and every send.
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] bool readable() const;

 private:
  ZmqSocket(void* socket, ZmqKind kind, const Options& options)
      : socket_(socket),
        kind_(kind),
        queues_(options.queue_unconnected),
        tells_uid_(options.tell_uid) {}
  Result<void> Apply(const Options& options);
  Result<void> Set(int option, const char* name, int value);
  bool ReceivePart(ZmqMessage& part);
  bool DropRest(ZmqMessage& last);

  void* socket_;
  ZmqKind kind_;
  bool queues_;
  bool tells_uid_;
};

// The path of "ipc://PATH", checked against sun_path.
Result<std::string> PathOfIpcAddress(const std::string& address);

}  // namespace gatehouse::ipc
