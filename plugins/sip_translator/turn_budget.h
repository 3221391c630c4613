// How many requests one turn of the loop takes from streams.
#pragma once

#include <cstddef>

namespace gatehouse {

// Longer turns cost less a message, since all that goes out in one goes together; but where answers
// to our own requests come, one by one, they get their share of the turns after it.
class TurnBudget {
 public:
  static constexpr std::size_t kAlone = 64;
  static constexpr std::size_t kBesideAnswers = 12;
  static constexpr int kTurnsAfterAnAnswer = 16;  // they come a batch at a time

  // False: no more in this turn.
  [[nodiscard]] bool Take() {
    if (taken_ >= most_) return false;
    ++taken_;
    return true;
  }
  void OnAnswer() { short_turns_ = kTurnsAfterAnAnswer; }
  // To be called once after a turn in which requests were taken.
  void EndTurn() {
    taken_ = 0;
    most_ = short_turns_ > 0 ? kBesideAnswers : kAlone;
    if (short_turns_ > 0) --short_turns_;
  }

 private:
  std::size_t taken_ = 0;
  std::size_t most_ = kAlone;
  int short_turns_ = 0;  // still to come
};

}  // namespace gatehouse
