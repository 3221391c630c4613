#include "core/loop/readable_watch.h"

#include <fmt/format.h>

#include "core/loop/uv_owner.h"

namespace gatehouse {

struct ReadableWatch::State {
  std::function<void()> on_readable;
  uv_poll_t handle{};

  // An error is told as readable: the caller's read finds it.
  static void OnPoll(uv_poll_t* handle, int /*status*/, int /*events*/) noexcept {
    if (!IsClosing(*handle)) static_cast<State*>(handle->data)->on_readable();
  }
};

ReadableWatch::ReadableWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}

ReadableWatch::~ReadableWatch() {
  uv_poll_t& handle = state_->handle;
  DeleteWithHandle(std::move(state_), handle);
}

Result<std::unique_ptr<ReadableWatch>> ReadableWatch::Create(Loop& loop, int fd,
                                                             std::function<void()> on_readable) {
  auto state = std::make_unique<State>();
  state->on_readable = std::move(on_readable);
  state->handle.data = state.get();
  if (const int failed = uv_poll_init(loop.raw(), &state->handle, fd); failed != 0)
    return Trouble(UvText(fmt::format("watching descriptor {}", fd), failed));
  std::unique_ptr<ReadableWatch> watch(new ReadableWatch(std::move(state)));  // NOLINT
  uv_poll_t* const handle = &watch->state_->handle;
  if (const int failed = uv_poll_start(handle, UV_READABLE, State::OnPoll); failed != 0)
    return Trouble(UvText(fmt::format("watching descriptor {}", fd), failed));
  return watch;
}

}  // namespace gatehouse
