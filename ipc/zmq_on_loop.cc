#include "ipc/zmq_on_loop.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "core/loop/readable_watch.h"
#include "core/loop/uv_handle.h"

namespace gatehouse::ipc {
namespace {

// One busy socket must not keep the others waiting.
constexpr int kFramesPerTurn = 64;

}  // namespace

struct ZmqOnLoop::State {
  // A frame that was looked at and waits for its turn.
  struct KeptFrame {
    explicit KeptFrame(const ZmqFrame& frame)
        : from(frame.from), body(frame.body), well_formed(frame.well_formed), uid(frame.uid) {}
    [[nodiscard]] ZmqFrame View() const { return {from, body, well_formed, uid}; }
    std::string from;
    std::string body;
    bool well_formed;
    std::optional<std::uint32_t> uid;
  };

  State(std::unique_ptr<ZmqSocket> a_socket, OnFrame a_handler)
      : socket(std::move(a_socket)), on_frame(std::move(a_handler)) {}

  std::unique_ptr<ZmqSocket> socket;
  OnFrame on_frame;
  UvHandle<uv_idle_t> idle;              // runs while frames wait
  std::unique_ptr<ReadableWatch> watch;  // goes before the socket, whose descriptor it watches
  ZmqMessage from;
  ZmqMessage body;
  std::deque<KeptFrame> kept;

  void ReadSome();
  bool HandleKept();
  void Continue(bool more);
  static void OnIdle(uv_idle_t* handle) noexcept {
    if (handle->data != nullptr) static_cast<State*>(handle->data)->ReadSome();
  }
};

void ZmqOnLoop::State::ReadSome() {
  ZmqFrame frame;
  for (int count = 0; count < kFramesPerTurn; ++count) {
    if (HandleKept()) continue;
    // Found empty, it tells by its descriptor of what comes from now on.
    if (!socket->Receive(from, body, frame)) return Continue(false);
    on_frame(frame);
  }
  Continue(true);
}

bool ZmqOnLoop::State::HandleKept() {
  if (kept.empty()) return false;
  const KeptFrame first = std::move(kept.front());
  kept.pop_front();
  on_frame(first.View());
  return true;
}

void ZmqOnLoop::State::Continue(bool more) {
  if (more)
    GATEHOUSE_CHECK(uv_idle_start(idle.get(), OnIdle) == 0);
  else
    uv_idle_stop(idle.get());
}

ZmqOnLoop::ZmqOnLoop(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZmqOnLoop::~ZmqOnLoop() = default;

Result<std::unique_ptr<ZmqOnLoop>> ZmqOnLoop::Create(Loop& loop, std::unique_ptr<ZmqSocket> socket,
                                                     OnFrame on_frame) {
  auto state = std::make_unique<State>(std::move(socket), std::move(on_frame));
  auto idle = std::make_unique<uv_idle_t>();
  if (const int failed = uv_idle_init(loop.raw(), idle.get()); failed != 0)
    return Trouble(fmt::format("idle handle: {}", uv_strerror(failed)));
  state->idle.reset(idle.release());
  state->idle->data = state.get();
  GATEHOUSE_TRY(state->watch, ReadableWatch::Create(loop, state->socket->descriptor(),
                                                    [raw = state.get()] { raw->ReadSome(); }));
  state->Continue(state->socket->readable());  // it may have become ready before it was watched
  return std::unique_ptr<ZmqOnLoop>(new ZmqOnLoop(std::move(state)));  // NOLINT
}

// A frame that is being handled lies in the messages of the state.
void ZmqOnLoop::LookAhead(const std::function<bool(const ZmqFrame& frame)>& taken) {
  ZmqMessage from;
  ZmqMessage body;
  ZmqFrame frame;
  while (state_->socket->Receive(from, body, frame))
    if (!taken(frame)) state_->kept.emplace_back(frame);
  if (!state_->kept.empty()) state_->Continue(true);
}

ZmqSocket::Sent ZmqOnLoop::Send(std::string_view to, ZmqMessage& body) {
  const ZmqSocket::Sent sent = state_->socket->Send(to, body);
  if (state_->socket->readable()) state_->Continue(true);
  return sent;
}

}  // namespace gatehouse::ipc
