// When may two ends of a link talk? Each end knows its own epoch, hears of the other's from the
// supervisor, and at another moment than the other end. So each greets the epoch it was told of,
// and offers or asks only after a frame has come that names both epochs: then the other end has
// heard of us too, and nothing can meet a stranger.
//
//   unknown --Announce--> greeting --Hear--> open --Lost--> greeting
//   Announce of a new epoch leads to greeting from everywhere, Close to closed, where only Announce
//   leads out.
// Pure: no socket, no loop.
#pragma once

#include <cstdint>

namespace gatehouse::ipc {

class Greeting {
 public:
  enum class State : std::uint8_t { kUnknown, kGreeting, kOpen, kClosed };
  struct Heard {
    bool accepted = false;  // the frame is from that life to this one: read the rest
    bool opened = false;    // words sent before may be lost: say again what still matters
    bool answer = false;    // the other end waits for any frame of ours
  };

  explicit Greeting(std::uint64_t own_epoch) : own_epoch_(own_epoch) {}

  // True when this is a life not heard of before: greet it.
  bool Announce(std::uint64_t epoch) {
    if (epoch == epoch_) return false;
    epoch_ = epoch;
    state_ = State::kGreeting;
    heard_hello_ = 0;
    ++hello_;
    return true;
  }
  // The head of a frame. `hello` is 0, or how often its sender has begun to greet.
  Heard Hear(std::uint64_t sender_epoch, std::uint64_t receiver_epoch, std::uint32_t hello) {
    const bool known = state_ == State::kGreeting || state_ == State::kOpen;
    if (!known || sender_epoch != epoch_ || receiver_epoch != own_epoch_) return {};
    // One who begins to greet an open link again has lost what we said; one who repeats himself has
    // not.
    const bool begins = hello != 0 && hello != heard_hello_;
    const bool opened = state_ == State::kGreeting || begins;
    if (begins) heard_hello_ = hello;
    state_ = State::kOpen;
    return {true, opened, hello != 0};
  }
  // A frame could not be sent: the other end may live on, so greet it until it answers.
  void Lost() {
    if (state_ != State::kOpen) return;
    state_ = State::kGreeting;
    ++hello_;
  }
  // Nothing more with this life of the other end.
  void Close() { state_ = State::kClosed; }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  [[nodiscard]] bool greets() const { return state_ == State::kGreeting; }
  // What to greet with.
  [[nodiscard]] std::uint32_t hello() const { return hello_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] std::uint64_t own_epoch() const { return own_epoch_; }

 private:
  std::uint64_t own_epoch_;
  std::uint64_t epoch_ = 0;
  std::uint32_t hello_ = 0;
  std::uint32_t heard_hello_ = 0;
  State state_ = State::kUnknown;
};

}  // namespace gatehouse::ipc
