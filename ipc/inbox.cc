#include "ipc/inbox.h"

namespace gatehouse::ipc {

void Inbox::Reborn(std::uint64_t sender_epoch) {
  sender_epoch_ = sender_epoch;
  forgotten_below_ = OfferSeq{1};
  known_.clear();
  to_tell_.clear();
}

void Inbox::ForgetBelow(OfferSeq settled_below) {
  if (settled_below <= forgotten_below_) return;
  forgotten_below_ = settled_below;
  known_.erase(known_.begin(), known_.lower_bound(settled_below));
}

Inbox::Arrival Inbox::Arrive(OfferSeq seq) {
  if (seq < forgotten_below_) return Arrival::kForgotten;
  const bool above_all = known_.empty() || known_.rbegin()->first < seq;
  const auto repeat = above_all ? known_.end() : known_.find(seq);
  if (repeat == known_.end()) {
    if (known_.size() >= most_known_) return Arrival::kTooMany;
    known_.try_emplace(known_.end(), seq);
    return Arrival::kNew;
  }
  if (!repeat->second.settled) return Arrival::kInProgress;
  to_tell_.push_back(Settled{seq, repeat->second.outcome});
  return Arrival::kSettled;
}

bool Inbox::Settle(std::uint64_t sender_epoch, OfferSeq seq, const Outcome& outcome) {
  if (sender_epoch != sender_epoch_) return false;
  const auto known = known_.find(seq);
  if (known == known_.end() || known->second.settled) return false;
  known->second = Known{true, outcome};
  to_tell_.push_back(Settled{seq, outcome});
  return true;
}

}  // namespace gatehouse::ipc
