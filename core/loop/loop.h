// Owner of one libuv loop. One thread per process runs it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/clock.h"
#include "core/base/result.h"

struct uv_loop_s;

namespace gatehouse {

class Loop {
 public:
  static Result<std::unique_ptr<Loop>> Create();
  ~Loop();  // runs until every handle is closed
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Run();   // until Stop
  void Stop();  // callable from any callback
  // Runs every callback that is due, without waiting; for tests.
  void RunOnce();

  // Runs `action` at the end of this turn of the loop, after all sockets that were ready have been
  // read. Batching hangs here: what many stanzas of one turn wrote goes out in one system call.
  // Actions queued by such an action still belong to this turn.
  void AtEndOfTurn(std::function<void()> action);
  // Runs `action` in the next turn: breaks recursion.
  void Post(std::function<void()> action);

  [[nodiscard]] TimePoint Now() const;   // fresh, not the loop's cached time
  [[nodiscard]] uv_loop_s* raw() const;  // for core/loop and ipc only

 private:
  friend class EndOfTurn;
  friend class NextTurn;
  struct State;
  explicit Loop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// An action at the end of the turn that goes away with its owner. Arming it twice in a turn runs it
// once.
class EndOfTurn {
 public:
  EndOfTurn(Loop& loop, std::function<void()> action);
  ~EndOfTurn();
  EndOfTurn(const EndOfTurn&) = delete;
  EndOfTurn& operator=(const EndOfTurn&) = delete;
  void Arm();

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> action_;
  std::size_t place_ = 0;  // 1 + index among the armed; 0: not armed
};

// An action at the start of the next turn, after which the sockets that are ready come again; goes
// away with its owner. Arming it twice runs it once.
class NextTurn {
 public:
  NextTurn(Loop& loop, std::function<void()> action);
  ~NextTurn();
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;
  void Arm();

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> action_;
  bool armed_ = false;
};

}  // namespace gatehouse
