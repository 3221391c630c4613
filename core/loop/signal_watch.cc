#include "core/loop/signal_watch.h"

#include "core/loop/uv_owner.h"

namespace gatehouse {

struct SignalWatch::State {
  std::function<void()> on_signal;
  uv_signal_t handle{};

  static void OnSignal(uv_signal_t* handle, int /*number*/) noexcept {
    if (!IsClosing(*handle)) static_cast<State*>(handle->data)->on_signal();
  }
};

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void()> on_signal)
    : state_(std::make_unique<State>()) {
  state_->on_signal = std::move(on_signal);
  state_->handle.data = state_.get();
  GATEHOUSE_CHECK(uv_signal_init(loop.raw(), &state_->handle) == 0);
  GATEHOUSE_CHECK(uv_signal_start(&state_->handle, State::OnSignal, signal) == 0);
}

SignalWatch::~SignalWatch() {
  uv_signal_t& handle = state_->handle;
  DeleteWithHandle(std::move(state_), handle);
}

}  // namespace gatehouse
