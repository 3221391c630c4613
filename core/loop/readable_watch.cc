#include "core/loop/readable_watch.h"

#include <fmt/format.h>

#include "core/loop/uv_handle.h"

namespace gatehouse {

struct ReadableWatch::State {
  std::function<void()> on_readable;
  UvHandle<uv_poll_t> handle;

  // An error is told as readable: the caller's read finds it.
  static void OnPoll(uv_poll_t* handle, int /*status*/, int /*events*/) noexcept {
    if (handle->data != nullptr) static_cast<State*>(handle->data)->on_readable();
  }
};

ReadableWatch::ReadableWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
ReadableWatch::~ReadableWatch() = default;

Result<std::unique_ptr<ReadableWatch>> ReadableWatch::Create(Loop& loop, int fd,
                                                             std::function<void()> on_readable) {
  auto state = std::make_unique<State>();
  state->on_readable = std::move(on_readable);
  auto handle = std::make_unique<uv_poll_t>();
  if (const int failed = uv_poll_init(loop.raw(), handle.get(), fd); failed != 0)
    return Trouble(fmt::format("watching descriptor {}: {}", fd, uv_strerror(failed)));
  state->handle.reset(handle.release());
  state->handle->data = state.get();
  if (const int failed = uv_poll_start(state->handle.get(), UV_READABLE, State::OnPoll);
      failed != 0)
    return Trouble(fmt::format("watching descriptor {}: {}", fd, uv_strerror(failed)));
  return std::unique_ptr<ReadableWatch>(new ReadableWatch(std::move(state)));  // NOLINT
}

}  // namespace gatehouse
