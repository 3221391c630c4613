#include "core/loop/timer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/loop/uv_owner.h"

namespace gatehouse {

struct Timer::State {
  uv_timer_t timer{};
  std::function<void()> fire;

  static void OnFire(uv_timer_t* timer) noexcept {
    if (!IsClosing(*timer)) static_cast<State*>(timer->data)->fire();
  }
  void Start(milliseconds delay, milliseconds repeat) {
    uv_update_time(timer.loop);  // a turn may have taken long
    const auto ticks = [](milliseconds span) {
      return static_cast<std::uint64_t>(std::max<milliseconds::rep>(span.count(), 0));
    };
    uv_timer_start(&timer, &OnFire, ticks(delay), ticks(repeat));
  }
};

Timer::Timer(Loop& loop, std::function<void()> fire) : state_(std::make_unique<State>()) {
  uv_timer_init(loop.raw(), &state_->timer);
  state_->timer.data = state_.get();
  state_->fire = std::move(fire);
}

Timer::~Timer() {
  uv_timer_t& timer = state_->timer;
  DeleteWithHandle(std::move(state_), timer);
}

void Timer::Start(milliseconds delay) {
  state_->Start(delay, milliseconds(0));
}

void Timer::StartRepeating(milliseconds every) {
  state_->Start(every, every);
}

void Timer::Stop() {
  uv_timer_stop(&state_->timer);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->timer)) != 0;
}

}  // namespace gatehouse
