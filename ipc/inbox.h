// The receiver's half of a data link: knows which offers are in hand or settled, so that a repeat
// does no harm. Pure: no socket, no loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "ipc/data_link.h"
#include "ipc/offer_seq.h"

namespace gatehouse::ipc {

class Inbox {
 public:
  enum class Arrival : std::uint8_t {
    kNew,         // hand it to the receiver
    kInProgress,  // a repeat of one in hand: drop it
    kSettled,     // a repeat of a settled one: its stored outcome is to be told again
    kForgotten,   // a repeat of one the sender called settled: drop it
    kTooMany      // more than any honest sender leaves unsettled: not remembered
  };
  struct Settled {
    OfferSeq seq;
    Outcome outcome;
  };

  // `most_known` lies far above the window: a window is soft.
  explicit Inbox(std::size_t most_known) : most_known_(most_known) {}

  // A new life of the sender: its numbers start again, and tickets of the last life say nothing
  // more.
  void Reborn(std::uint64_t sender_epoch);
  // The sender will not offer these again.
  void ForgetBelow(OfferSeq settled_below);
  void Forget(OfferSeq settled) { known_.erase(settled); }

  Arrival Arrive(OfferSeq seq);
  // The receiver is done with an offer of that life. The outcome is kept for repeats and put among
  // TakeSettles; false when the sender no longer wants it.
  bool Settle(std::uint64_t sender_epoch, OfferSeq seq, const Outcome& outcome);
  // What is to be told to the sender next, in order of settling; null when all is told.
  [[nodiscard]] const Settled* Next() const {
    return to_tell_.empty() ? nullptr : &to_tell_.front();
  }
  void MarkTold() { to_tell_.pop_front(); }

  [[nodiscard]] std::uint64_t sender_epoch() const { return sender_epoch_; }
  [[nodiscard]] std::size_t known() const { return known_.size(); }

 private:
  struct Known {
    bool settled = false;
    Outcome outcome;
  };

  std::size_t most_known_;
  std::uint64_t sender_epoch_ = 0;
  OfferSeq forgotten_below_{1};
  std::map<OfferSeq, Known> known_;
  std::deque<Settled> to_tell_;
};

}  // namespace gatehouse::ipc
