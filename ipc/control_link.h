// Supervisor and worker: the supervisor binds, each worker connects under its instance name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/loop/loop.h"
#include "ipc/zmq_context.h"
#include "proto/link_control.pb.h"

namespace gatehouse::ipc {

// The supervisor's end.
class ControlServer {
 public:
  struct Events {
    // `from.epoch()` tells a worker's life from its last one: words of a dead life may still
    // arrive.
    std::function<void(std::string_view instance, const proto::FromWorker& from)> on_word;
    std::function<void(std::string_view instance, std::string_view what)> on_malformed;
  };
  //   address  "ipc://PATH"; what a dead supervisor left at PATH is removed
  //   fails    kConfig when PATH is longer than sun_path holds, kTrouble when it cannot be bound
  static Result<std::unique_ptr<ControlServer>> Create(Loop& loop, ZmqContext& context,
                                                       const std::string& address, Events events);
  virtual ~ControlServer() = default;
  //   fails  kTrouble while no worker of that name is connected (it is from its first word on)
  virtual Result<void> Send(std::string_view instance, const proto::FromSupervisor& word) = 0;
};

// The worker's end.
class ControlClient {
 public:
  using OnWord = std::function<void(const proto::FromSupervisor& word)>;
  // `epoch` is put into every word sent. A word that cannot be read is counted and dropped.
  static Result<std::unique_ptr<ControlClient>> Create(Loop& loop, ZmqContext& context,
                                                       const std::string& address,
                                                       const std::string& instance,
                                                       std::uint64_t epoch, OnWord on_word);
  // What was sent leaves even when the process ends right after, for at most 500 ms.
  virtual ~ControlClient() = default;
  virtual Result<void> Send(proto::FromWorker word) = 0;
  // Answers pings that have come, while this worker is in the middle of something: each goes to
  // `on_ping`. All other words come to OnWord later, in their order.
  virtual void TakePings(const std::function<void(std::uint64_t ping)>& on_ping) = 0;
};

}  // namespace gatehouse::ipc
