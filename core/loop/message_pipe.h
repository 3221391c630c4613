// Whole messages over a Unix stream socket: each goes as its length (4 octets, big endian) and its
// bytes. The lifeline between supervisor and worker and the control socket of gatehousectl both
// speak this.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/loop/loop.h"

namespace gatehouse {

class MessagePipe {
 public:
  // A configuration with its listeners is a few KiB; a partner list of ten thousand rows a few MiB.
  static constexpr std::size_t kMaxMessageBytes = std::size_t{16} * 1024 * 1024;

  struct Events {
    // One whole message. Not kept after return. The pipe may be destroyed inside.
    std::function<void(std::string_view message)> on_message;
    // Once: end-of-file (`why` empty), an error, or a message above kMaxMessageBytes.
    std::function<void(std::string_view why)> on_closed;
  };

  // Takes over `fd`, a connected stream socket, whatever the outcome.
  static Result<std::unique_ptr<MessagePipe>> FromFd(Loop& loop, int fd);
  ~MessagePipe();  // closes at once; nothing is called any more
  MessagePipe(const MessagePipe&) = delete;
  MessagePipe& operator=(const MessagePipe&) = delete;

  void Start(Events events);  // begins to read
  void Send(std::string_view message);
  [[nodiscard]] uid_t peer_uid() const;  // of the process at the other end, by SO_PEERCRED

 private:
  struct State;
  explicit MessagePipe(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Listens at a path of the file system, readable and writable by this user alone.
class MessagePipeServer {
 public:
  // A socket left at `path` by a dead process is replaced. Fails when the path is too long or
  // cannot be bound.
  static Result<std::unique_ptr<MessagePipeServer>> Listen(
      Loop& loop, const std::string& path,
      std::function<void(std::unique_ptr<MessagePipe>)> on_pipe);
  ~MessagePipeServer();  // closes and removes the path

 private:
  struct State;
  explicit MessagePipeServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// For processes without a loop: gatehousectl, and a worker before its loop runs. `fd` is blocking.
// `limit` is for the whole call; it fails with kTrouble at the limit, at end-of-file and on errors.
Result<void> SendMessageBlocking(int fd, std::string_view message, milliseconds limit);
Result<std::string> ReceiveMessageBlocking(int fd, milliseconds limit);
// A connected socket, close-on-exec; the caller closes it.
Result<int> ConnectUnixBlocking(const std::string& path);

}  // namespace gatehouse
