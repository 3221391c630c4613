#include "core/loop/loop.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/loop/uv_owner.h"

namespace gatehouse {
namespace {

// Rounds of actions that queue further actions before the rest waits for the next turn.
constexpr int kMaxRoundsPerTurn = 64;

}  // namespace

struct Loop::State {
  uv_loop_t uv{};
  UvHandle<uv_check_t> after_poll;  // libuv runs it when all ready sockets have been served
  UvHandle<uv_idle_t>
      no_waiting;  // active while something is queued, so that the poll does not block
  std::vector<std::function<void()>> end_actions;
  std::vector<EndOfTurn*> armed;
  std::vector<std::function<void()>> posted;
  std::vector<NextTurn*> next_turn;
  ReadBuffer read_buffer;

  [[nodiscard]] bool HasEndActions() const { return !end_actions.empty() || !armed.empty(); }
  [[nodiscard]] bool HasWork() const {
    return HasEndActions() || !posted.empty() || !next_turn.empty();
  }
  void DoNotWait();
  void RunPosted();
  void RunNextTurn();
  void RunArmed();
  void RunEndActions();
};

ReadBuffer& ReadBufferOf(uv_loop_t* loop) noexcept {
  return *static_cast<ReadBuffer*>(loop->data);
}

void OfferReadBuffer(uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* buffer) noexcept {
  ReadBuffer& shared = ReadBufferOf(handle->loop);
  *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
}

void Loop::State::DoNotWait() {
  uv_idle_start(no_waiting.get(), [](uv_idle_t* idle) {
    if (idle->data != nullptr) static_cast<State*>(idle->data)->RunPosted();
  });
}

void Loop::State::RunPosted() {
  const auto actions = std::exchange(posted, {});
  for (const auto& action : actions) action();
  RunNextTurn();
}

void Loop::State::RunNextTurn() {
  // One by one: an action may destroy another's owner. What is armed meanwhile stands behind.
  for (std::size_t left = next_turn.size(); left > 0 && !next_turn.empty(); --left) {
    NextTurn* due = next_turn.front();
    next_turn.erase(next_turn.begin());
    if (due == nullptr) continue;
    due->armed_ = false;
    const auto action = due->action_;  // the action may destroy its owner
    action();
  }
}

void Loop::State::RunArmed() {
  const std::size_t due_now = armed.size();  // may grow while it runs
  for (std::size_t i = 0; i < due_now; ++i) {
    EndOfTurn* due = std::exchange(armed[i], nullptr);
    if (due == nullptr) continue;
    due->place_ = 0;
    const auto action = due->action_;  // the action may destroy its owner
    action();
  }
  armed.erase(armed.begin(), armed.begin() + static_cast<std::ptrdiff_t>(due_now));
  for (EndOfTurn* later : armed)
    if (later != nullptr) later->place_ -= due_now;
}

void Loop::State::RunEndActions() {
  for (int round = 0; HasEndActions() && round < kMaxRoundsPerTurn; ++round) {
    const auto actions = std::exchange(end_actions, {});
    for (const auto& action : actions) action();
    if (end_actions.empty()) RunArmed();
  }
  if (!HasWork()) uv_idle_stop(no_waiting.get());
}

Loop::Loop(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Loop>> Loop::Create() {
  auto state = std::make_unique<State>();
  if (const int code = uv_loop_init(&state->uv); code != 0)
    return Trouble(UvText("event loop", code));
  state->uv.data = &state->read_buffer;
  state->after_poll.reset(new uv_check_t);
  uv_check_init(&state->uv, state->after_poll.get());
  state->after_poll->data = state.get();
  state->no_waiting.reset(new uv_idle_t);
  uv_idle_init(&state->uv, state->no_waiting.get());
  state->no_waiting->data = state.get();
  // Never stopped: it also keeps Run waiting while there is nothing else to wait for.
  uv_check_start(state->after_poll.get(), [](uv_check_t* check) {
    if (check->data != nullptr) static_cast<State*>(check->data)->RunEndActions();
  });
  return std::unique_ptr<Loop>(new Loop(std::move(state)));
}

Loop::~Loop() {
  state_->after_poll.reset();
  state_->no_waiting.reset();
  while (uv_loop_close(&state_->uv) == UV_EBUSY) uv_run(&state_->uv, UV_RUN_ONCE);
}

void Loop::Run() {
  uv_run(&state_->uv, UV_RUN_DEFAULT);
}

void Loop::Stop() {
  uv_stop(&state_->uv);
}

void Loop::RunOnce() {
  uv_run(&state_->uv, UV_RUN_NOWAIT);
}

void Loop::AtEndOfTurn(std::function<void()> action) {
  state_->end_actions.push_back(std::move(action));
  state_->DoNotWait();
}

void Loop::Post(std::function<void()> action) {
  state_->posted.push_back(std::move(action));
  state_->DoNotWait();
}

TimePoint Loop::Now() const {
  return std::chrono::steady_clock::now();
}

uv_loop_t* Loop::raw() const {
  return &state_->uv;
}

NextTurn::NextTurn(Loop& loop, std::function<void()> action)
    : loop_(loop), action_(std::move(action)) {}

NextTurn::~NextTurn() {
  if (armed_) std::ranges::replace(loop_.state_->next_turn, this, nullptr);
}

void NextTurn::Arm() {
  if (std::exchange(armed_, true)) return;
  loop_.state_->next_turn.push_back(this);
  loop_.state_->DoNotWait();
}

EndOfTurn::EndOfTurn(Loop& loop, std::function<void()> action)
    : loop_(loop), action_(std::move(action)) {}

EndOfTurn::~EndOfTurn() {
  if (place_ != 0) loop_.state_->armed[place_ - 1] = nullptr;
}

void EndOfTurn::Arm() {
  if (place_ != 0) return;
  loop_.state_->armed.push_back(this);
  place_ = loop_.state_->armed.size();
  loop_.state_->DoNotWait();
}

}  // namespace gatehouse
