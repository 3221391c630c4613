// One TCP connection, and the acceptor that makes them from a listening socket the supervisor
// bound.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/loop/loop.h"
#include "core/loop/socket_address.h"

namespace gatehouse {

class TcpStream {
 public:
  struct Events {
    // Any length. Not kept after return. The stream may be destroyed inside.
    std::function<void(std::span<const std::byte>)> on_bytes;
    // Called at most once: end-of-file, error, or a Close that has finished. `why` is empty at
    // end-of-file.
    std::function<void(std::string_view why)> on_closed;
    // The write queue has fallen to zero after it held more than kHighWater octets. May be empty.
    std::function<void()> on_drained = {};
    // Everything written so far is the kernel's. May be empty; must not destroy the stream.
    std::function<void()> on_flushed = {};
    // The peer has ended its half, and may read on: what is written inside is sent, then on_closed
    // comes. Not while closing. May be empty; must not destroy the stream.
    std::function<void()> on_peer_ended = {};
  };
  static constexpr std::size_t kHighWater = 256 * 1024;

  // Connects within `limit`, then calls `done` once: the stream, not yet reading, or why not.
  // Destroying the returned handle cancels (then `done` is not called).
  class Connecting;
  static std::unique_ptr<Connecting> Connect(
      Loop& loop, const SocketAddress& to, milliseconds limit,
      std::function<void(Result<std::unique_ptr<TcpStream>>)> done);

  ~TcpStream();  // closes at once; nothing is called any more
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  void Start(Events events);  // begins to read
  // Appends to the turn's batch; sent at the end of the turn with everything else written in it.
  // What is written before Start waits for it.
  void Write(std::string_view bytes);
  void PauseReading();  // TCP's window then tells the peer to wait
  void ResumeReading();
  void Rest();  // gives back what is kept for the next batch
  // Flushes, half-closes, reads until the peer has closed too, then on_closed(""); all of it within
  // 5 s. What the peer still sends is thrown away.
  void CloseAfterWrites();
  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] const SocketAddress& peer() const;
  [[nodiscard]] const SocketAddress& local() const;

 private:
  friend class TcpAcceptor;
  friend class TcpConnecting;
  struct State;
  explicit TcpStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class TcpStream::Connecting {
 public:
  virtual ~Connecting() = default;
};

// Accepts from a listening descriptor until destroyed. Does not own the port: the descriptor is a
// duplicate of the supervisor's, so connections wait in the queue while no worker lives.
class TcpAcceptor {
 public:
  static Result<std::unique_ptr<TcpAcceptor>> Create(
      Loop& loop, int listening_fd, std::function<void(std::unique_ptr<TcpStream>)> on_stream);
  ~TcpAcceptor();
  void Pause();  // leaves new connections in the kernel's queue
  void Resume();

 private:
  struct State;
  explicit TcpAcceptor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
