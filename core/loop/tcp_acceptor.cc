#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/loop/tcp_stream.h"
#include "core/loop/tcp_stream_state.h"

namespace gatehouse {
namespace {

// Connections taken in one turn, so that a flood of them does not starve the streams that exist.
constexpr int kMaxPerTurn = 64;
// Descriptors or memory ran out: the kernel's queue holds the newcomers meanwhile.
constexpr milliseconds kWaitForResources{100};

}  // namespace

struct TcpAcceptor::State {
  State(Loop& owner_loop, int listening_fd, std::function<void(std::unique_ptr<TcpStream>)> action)
      : loop(owner_loop),
        fd(listening_fd),
        on_stream(std::move(action)),
        wait_for_resources(owner_loop, [this] { Watch(); }) {}

  uv_poll_t poll{};
  Loop& loop;
  int fd;
  std::function<void(std::unique_ptr<TcpStream>)> on_stream;
  Timer wait_for_resources;
  bool paused = false;

  void Watch() {
    if (!paused && !IsClosing(poll)) uv_poll_start(&poll, UV_READABLE, &OnReadable);
  }

  static void OnReadable(uv_poll_t* poll, int /*status*/, int /*events*/) noexcept {
    auto& self = *static_cast<State*>(poll->data);
    for (int taken = 0; taken < kMaxPerTurn && !self.paused && !IsClosing(*poll); ++taken)
      if (!self.AcceptOne()) return;
  }

  bool AcceptOne() {
    const int accepted = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return AcceptFailed(errno);
    auto stream = std::make_unique<TcpStream::State>(loop);
    if (uv_tcp_open(&stream->tcp, accepted) != 0) {
      close(accepted);
      uv_tcp_t& tcp = stream->tcp;
      DeleteWithHandle(std::move(stream), tcp);
      return true;
    }
    stream->TakeConnectedSocket();
    on_stream(std::unique_ptr<TcpStream>(new TcpStream(std::move(stream))));
    return true;
  }

  // True where the next connection may be tried at once: this one ended before it was taken.
  bool AcceptFailed(int code) {
    if (code == ECONNABORTED || code == EINTR || code == EPROTO) return true;
    if (code != EAGAIN && code != EWOULDBLOCK) {
      uv_poll_stop(&poll);
      wait_for_resources.Start(kWaitForResources);
    }
    return false;
  }
};

TcpAcceptor::TcpAcceptor(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<TcpAcceptor>> TcpAcceptor::Create(
    Loop& loop, int listening_fd, std::function<void(std::unique_ptr<TcpStream>)> on_stream) {
  auto state = std::make_unique<State>(loop, listening_fd, std::move(on_stream));
  if (const int code = uv_poll_init(loop.raw(), &state->poll, listening_fd); code != 0)
    return Trouble(UvText("listening descriptor " + std::to_string(listening_fd), code));
  state->poll.data = state.get();
  state->Watch();
  return std::unique_ptr<TcpAcceptor>(new TcpAcceptor(std::move(state)));
}

TcpAcceptor::~TcpAcceptor() {
  state_->wait_for_resources.Stop();
  uv_poll_t& poll = state_->poll;
  DeleteWithHandle(std::move(state_), poll);
}

void TcpAcceptor::Pause() {
  state_->paused = true;
  uv_poll_stop(&state_->poll);
}

void TcpAcceptor::Resume() {
  state_->paused = false;
  state_->Watch();
}

}  // namespace gatehouse
