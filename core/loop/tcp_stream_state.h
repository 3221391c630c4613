// What a TcpStream's callbacks use; the acceptor and the connecting attempt make it.
#pragma once

#include <memory>
#include <string>

#include "core/loop/tcp_stream.h"
#include "core/loop/timer.h"
#include "core/loop/uv_owner.h"

namespace gatehouse {

struct TcpStream::State {
  explicit State(Loop& owner_loop);

  uv_tcp_t tcp{};
  Loop& loop;
  Events events;
  SocketAddress peer;
  SocketAddress local;
  EndOfTurn flush;
  std::string pending;        // written in this turn, or while a request is under way
  std::size_t in_flight = 0;  // octets of the one write request under way
  bool above_high_water = false;
  bool started = false;
  bool paused = false;
  bool reads_on_later = false;  // at the end of this turn
  bool closing = false;         // CloseAfterWrites was called
  bool half_closed = false;
  bool peer_ended = false;
  bool closed = false;     // on_closed was called
  uv_connect_t connect{};  // its data: the attempt that waits, if any
  uv_shutdown_t shutdown{};
  std::unique_ptr<Timer> close_limit;

  // Keepalive, TCP_NODELAY, TCP_USER_TIMEOUT and both addresses, once the socket is connected
  // (2.12).
  void TakeConnectedSocket();
  void Write(std::string_view bytes);
  void Read();
  void Flush();
  void CloseAfterWrites();
  void Closed(std::string_view why);  // the state may be gone after it

 private:
  struct WriteRequest;
  void SendByRequest(std::string bytes);
  void Sent(int status);
  void QueueEmpty();
  void PeerEnded();
  void PauseForTurn();
  void HalfClose();
  static void OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
};

}  // namespace gatehouse
