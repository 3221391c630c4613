#include "core/loop/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "core/loop/tcp_stream_state.h"

namespace gatehouse {
namespace {

// A backstop below XMPP's own pings and SIP's CRLF (2.12).
constexpr int kKeepaliveIdleSeconds = 60;
constexpr int kKeepaliveIntervalSeconds = 20;
constexpr int kKeepaliveProbes = 3;
constexpr int kUserTimeoutMs = 60000;
constexpr milliseconds kCloseLimit{5000};
// An idle stream keeps no more than this for its next batch.
constexpr std::size_t kKeptCapacity = 16 * 1024;

// What one stream may bring in a turn, so that a busy one does not keep the others waiting.
constexpr std::size_t kBytesPerTurn = 16 * 1024;

void OfferShareOfBuffer(uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* buffer) noexcept {
  *buffer = uv_buf_init(ReadBufferOf(handle->loop).data(), kBytesPerTurn);
}

template <class Handle>
uv_stream_t* AsStream(Handle& handle) {
  return reinterpret_cast<uv_stream_t*>(&handle);
}

// An option the kernel refuses leaves a working socket; there is nothing to do about it.
void SetOption(int fd, int level, int name, int value) {
  static_cast<void>(setsockopt(fd, level, name, &value, sizeof value));
}

using NameCall = int (*)(const uv_tcp_t*, sockaddr*, int*);
SocketAddress NameOf(const uv_tcp_t& tcp, NameCall call) {
  SocketAddress address;
  int size = sizeof address.storage;
  call(&tcp, reinterpret_cast<sockaddr*>(&address.storage), &size);
  return address;
}

}  // namespace

// Owns its octets until libuv has sent them; the stream may be gone by then.
struct TcpStream::State::WriteRequest {
  uv_write_t request{};
  std::string bytes;
};

TcpStream::State::State(Loop& owner_loop)
    : loop(owner_loop), flush(owner_loop, [this] { Flush(); }) {
  uv_tcp_init(loop.raw(), &tcp);
  tcp.data = this;
}

void TcpStream::State::TakeConnectedSocket() {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp), &fd);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
  peer = NameOf(tcp, &uv_tcp_getpeername);
  local = NameOf(tcp, &uv_tcp_getsockname);
}

void TcpStream::State::Closed(std::string_view why) {
  if (closed) return;
  closed = true;
  uv_read_stop(AsStream(tcp));
  if (close_limit) close_limit->Stop();
  if (events.on_closed) events.on_closed(why);
}

void TcpStream::State::OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
  if (IsClosing(*stream)) return;
  auto& self = *static_cast<State*>(stream->data);
  if (count == UV_EOF) return self.PeerEnded();
  if (count < 0) return self.Closed(uv_strerror(static_cast<int>(count)));
  if (count == 0) return;
  if (static_cast<std::size_t>(count) == kBytesPerTurn) self.PauseForTurn();
  if (self.closing) return;
  self.events.on_bytes(std::as_bytes(std::span(buffer->base, static_cast<std::size_t>(count))));
}

// libuv would read on at once after a full buffer, megabytes in one turn.
void TcpStream::State::PauseForTurn() {
  uv_read_stop(AsStream(tcp));
  reads_on_later = true;
  flush.Arm();
}

// What was written in this turn still goes out: a peer that ended its half may read on.
void TcpStream::State::PeerEnded() {
  peer_ended = true;
  if (closing && !half_closed) return;  // the shutdown's callback goes on
  if (!closing && !closed && events.on_peer_ended) events.on_peer_ended();
  if (closing && !half_closed) return;
  Flush();
  Closed("");
}

void TcpStream::State::Read() {
  if (started && !paused && !closed && !reads_on_later)
    uv_read_start(AsStream(tcp), &OfferShareOfBuffer, &OnRead);
}

void TcpStream::State::Write(std::string_view bytes) {
  if (closing || closed || bytes.empty()) return;
  pending += bytes;
  if (pending.size() + in_flight > kHighWater) above_high_water = true;
  if (in_flight == 0 && started) flush.Arm();
}

void TcpStream::State::Flush() {
  if (std::exchange(reads_on_later, false)) Read();
  if (closed || in_flight != 0) return;
  if (pending.empty()) return QueueEmpty();
  uv_buf_t buffer = uv_buf_init(pending.data(), static_cast<unsigned>(pending.size()));
  const int sent = uv_try_write(AsStream(tcp), &buffer, 1);
  if (sent < 0 && sent != UV_EAGAIN) return Closed(UvText("write", sent));
  const auto count = static_cast<std::size_t>(sent < 0 ? 0 : sent);
  if (count < pending.size()) {
    pending.erase(0, count);
    return SendByRequest(std::exchange(pending, {}));
  }
  pending.clear();
  if (pending.capacity() > kKeptCapacity) pending.shrink_to_fit();
  QueueEmpty();
}

void TcpStream::State::SendByRequest(std::string bytes) {
  auto request = std::make_unique<WriteRequest>();
  request->bytes = std::move(bytes);
  request->request.data = request.get();
  const std::size_t size = request->bytes.size();
  const uv_buf_t buffer = uv_buf_init(request->bytes.data(), static_cast<unsigned>(size));
  const int code =
      uv_write(&request->request, AsStream(tcp), &buffer, 1, [](uv_write_t* done, int status) {
        uv_stream_t* stream = done->handle;
        delete static_cast<WriteRequest*>(done->data);
        if (!IsClosing(*stream)) static_cast<State*>(stream->data)->Sent(status);
      });
  if (code != 0) return Closed(UvText("write", code));
  in_flight = size;
  static_cast<void>(request.release());  // deleted in the callback
}

void TcpStream::State::Sent(int status) {
  in_flight = 0;
  if (status != 0) return Closed(UvText("write", status));
  Flush();
}

void TcpStream::State::QueueEmpty() {
  if (events.on_flushed) events.on_flushed();
  if (closing) return HalfClose();
  if (std::exchange(above_high_water, false) && events.on_drained) events.on_drained();
}

void TcpStream::State::CloseAfterWrites() {
  if (closing || closed) return;
  closing = true;
  paused = false;
  close_limit = std::make_unique<Timer>(loop, [this] { Closed(""); });
  close_limit->Start(kCloseLimit);
  Read();  // to see the peer's end, and an end that arrived while reading was paused
  flush.Arm();
}

void TcpStream::State::HalfClose() {
  if (std::exchange(half_closed, true)) return;
  const int code = uv_shutdown(&shutdown, AsStream(tcp), [](uv_shutdown_t* done, int status) {
    if (IsClosing(*done->handle)) return;
    auto& self = *static_cast<State*>(done->handle->data);
    if (status != 0) return self.Closed(UvText("shutdown", status));
    if (self.peer_ended) self.Closed("");
  });
  if (code != 0) Closed(UvText("shutdown", code));
}

TcpStream::TcpStream(std::unique_ptr<State> state) : state_(std::move(state)) {}

TcpStream::~TcpStream() {
  state_->closed = true;
  state_->close_limit.reset();
  uv_tcp_t& tcp = state_->tcp;
  DeleteWithHandle(std::move(state_), tcp);
}

void TcpStream::Start(Events events) {
  state_->events = std::move(events);
  state_->started = true;
  state_->Read();
  if (!state_->pending.empty()) state_->flush.Arm();
}

void TcpStream::Write(std::string_view bytes) {
  state_->Write(bytes);
}

void TcpStream::PauseReading() {
  if (state_->closing) return;
  state_->paused = true;
  uv_read_stop(AsStream(state_->tcp));
}

void TcpStream::ResumeReading() {
  state_->paused = false;
  state_->Read();
}

void TcpStream::Rest() {
  if (state_->pending.empty()) state_->pending.shrink_to_fit();
}

void TcpStream::CloseAfterWrites() {
  state_->CloseAfterWrites();
}

std::size_t TcpStream::queued_bytes() const {
  return state_->pending.size() + state_->in_flight;
}

const SocketAddress& TcpStream::peer() const {
  return state_->peer;
}

const SocketAddress& TcpStream::local() const {
  return state_->local;
}

}  // namespace gatehouse
