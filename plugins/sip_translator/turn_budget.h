// How many requests one turn of the loop takes from streams.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "core/base/clock.h"

namespace gatehouse {

// Longer turns cost less a message, since all that goes out in one goes together. But where answers
// to our own requests come too, as many requests are taken as answers came, so that neither
// direction gains on the other.
class TurnBudget {
 public:
  static constexpr std::ptrdiff_t kMost = 64;        // a turn; every one while no answers come
  static constexpr std::ptrdiff_t kLeast = 2;        // a turn, however few answers came
  static constexpr std::ptrdiff_t kMostAhead = 256;  // of what one direction is ahead
  static constexpr milliseconds kAnswersStopped{20};

  // False: no more in this turn.
  [[nodiscard]] bool Take() {
    if (taken_ >= most_) return false;
    ++taken_;
    return true;
  }
  [[nodiscard]] bool has_more() const { return taken_ < most_; }
  void OnAnswer(TimePoint now) {
    last_answer_ = now;
    answers_ahead_ = std::min(answers_ahead_ + 1, kMostAhead);
  }
  // To be called once after a turn in which requests were taken.
  void EndTurn(TimePoint now) {
    answers_ahead_ = std::max(answers_ahead_ - taken_, -kMostAhead);
    taken_ = 0;
    if (now - last_answer_ >= kAnswersStopped) {
      answers_ahead_ = 0;
      most_ = kMost;
    } else {
      most_ = std::clamp(answers_ahead_, kLeast, kMost);
    }
  }

 private:
  std::ptrdiff_t taken_ = 0;
  std::ptrdiff_t most_ = kMost;
  std::ptrdiff_t answers_ahead_ = 0;
  TimePoint last_answer_;  // the epoch: none yet
};

}  // namespace gatehouse
