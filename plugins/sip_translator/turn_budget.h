// How many requests one turn of the loop takes from streams.
#pragma once

#include <cstddef>
#include <utility>

namespace gatehouse {

// Longer turns cost less a message, since all that goes out in one goes together; but where answers
// to our own requests come, one by one, they get their share of the next turn.
class TurnBudget {
 public:
  static constexpr std::size_t kAlone = 64;
  static constexpr std::size_t kBesideAnswers = 16;

  // False: no more in this turn.
  [[nodiscard]] bool Take() {
    if (taken_ >= most_) return false;
    ++taken_;
    return true;
  }
  void OnAnswer() { answers_came_ = true; }
  // To be called once after a turn in which requests were taken.
  void EndTurn() {
    taken_ = 0;
    most_ = std::exchange(answers_came_, false) ? kBesideAnswers : kAlone;
  }

 private:
  std::size_t taken_ = 0;
  std::size_t most_ = kAlone;
  bool answers_came_ = false;  // since requests were taken last
};

}  // namespace gatehouse
