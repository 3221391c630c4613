#include "core/loop/signal_watch.h"

#include "core/loop/uv_handle.h"

namespace gatehouse {

struct SignalWatch::State {
  std::function<void()> on_signal;
  UvHandle<uv_signal_t> handle;

  static void OnSignal(uv_signal_t* handle, int /*number*/) noexcept {
    if (handle->data != nullptr) static_cast<State*>(handle->data)->on_signal();
  }
};

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void()> on_signal)
    : state_(std::make_unique<State>()) {
  state_->on_signal = std::move(on_signal);
  auto handle = std::make_unique<uv_signal_t>();
  GATEHOUSE_CHECK(uv_signal_init(loop.raw(), handle.get()) == 0);
  state_->handle.reset(handle.release());
  state_->handle->data = state_.get();
  GATEHOUSE_CHECK(uv_signal_start(state_->handle.get(), State::OnSignal, signal) == 0);
}

SignalWatch::~SignalWatch() = default;

}  // namespace gatehouse
