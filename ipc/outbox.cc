#include "ipc/outbox.h"

#include <algorithm>
#include <utility>

namespace gatehouse::ipc {

OfferSeq Outbox::Add(std::string_view share_key, std::string body, Deadline expires,
                     OnSettled settled) {
  auto share = shares_.find(share_key);
  if (share == shares_.end()) share = shares_.emplace(share_key, 0).first;
  ++share->second;
  last_ = OfferSeq{last_.value + 1};
  const auto added = offers_.emplace_hint(
      offers_.end(), last_, Kept{&*share, std::move(body), expires, std::move(settled), 0});
  if (next_to_send_ == offers_.end()) next_to_send_ = added;
  next_expiry_ = std::min(next_expiry_, expires);
  return last_;
}

std::optional<Outbox::Sendable> Outbox::Next() const {
  if (next_to_send_ == offers_.end()) return std::nullopt;
  const auto& [seq, kept] = *next_to_send_;
  return Sendable{seq, kept.attempts + 1, kept.expires, kept.body};
}

void Outbox::MarkSent() {
  if (next_to_send_ == offers_.end()) return;
  ++next_to_send_->second.attempts;
  ++next_to_send_;
}

void Outbox::OfferAgain() {
  next_to_send_ = offers_.begin();
  next_expiry_ = TimePoint::min();  // without the grace: to be found anew
  settled_.clear();                 // a new life remembers nothing that could be forgotten
}

Outbox::SettleResult Outbox::Settle(OfferSeq seq, const Outcome& outcome) {
  if (seq.value == 0 || seq > last_) return SettleResult::kNeverOffered;
  const auto offer = offers_.find(seq);
  if (offer == offers_.end()) return SettleResult::kLate;
  Finish(Take(offer), outcome);
  return SettleResult::kSettled;
}

std::size_t Outbox::Expire() {
  const TimePoint now = clock_.Now();
  if (now < next_expiry_) return 0;
  std::vector<Offers::node_type> expired;
  next_expiry_ = Deadline::max();
  bool sent = true;
  for (auto offer = offers_.begin(); offer != offers_.end();) {
    const auto current = offer++;
    if (current == next_to_send_) sent = false;
    const Deadline end = sent ? current->second.expires + kAnswerGrace : current->second.expires;
    if (end <= now)
      expired.push_back(Take(current));
    else
      next_expiry_ = std::min(next_expiry_, end);
  }
  for (auto& node : expired) Finish(std::move(node), Outcome::Expired());
  return expired.size();
}

std::optional<Deadline> Outbox::NextExpiry() const {
  if (offers_.empty()) return std::nullopt;
  return next_expiry_;
}

void Outbox::FailAll(const Outcome& outcome) {
  Offers failed;
  failed.swap(offers_);
  next_to_send_ = offers_.end();
  while (!failed.empty()) Finish(failed.extract(failed.begin()), outcome);
}

Outbox::Offers::node_type Outbox::Take(Offers::iterator offer) {
  if (offer == next_to_send_) ++next_to_send_;
  return offers_.extract(offer);
}

void Outbox::Finish(Offers::node_type node, const Outcome& outcome) {
  Kept kept = std::move(node.mapped());
  if (kept.attempts > 0) settled_.push_back(node.key());
  if (--kept.share->second == 0) shares_.erase(shares_.find(kept.share->first));
  if (kept.settled) kept.settled(outcome);
}

bool Outbox::HasRoom(std::string_view share_key) const {
  return unsettled() < window_.offers && ShareOf(share_key) < window_.share();
}

void Outbox::WhenRoom(std::string_view share_key, std::function<void()> resume) {
  waiters_.push_back(Waiter{std::string(share_key), std::move(resume)});
}

bool Outbox::RunResumes() {
  if (waiters_.empty() || unsettled() > window_.offers / 2) return false;
  std::vector<Waiter> waiting;
  waiting.swap(waiters_);
  std::vector<Waiter> still_waiting;
  for (Waiter& waiter : waiting) {
    if (MayResume(waiter.share_key))
      waiter.resume();
    else
      still_waiting.push_back(std::move(waiter));
  }
  const bool called = still_waiting.size() < waiting.size();
  // Those who began to wait meanwhile stand behind those who still wait.
  waiters_.insert(waiters_.begin(), std::make_move_iterator(still_waiting.begin()),
                  std::make_move_iterator(still_waiting.end()));
  return called;
}

bool Outbox::MayResume(std::string_view share_key) const {
  return unsettled() <= window_.offers / 2 && ShareOf(share_key) <= window_.share() / 2;
}

std::size_t Outbox::ShareOf(std::string_view share_key) const {
  const auto found = shares_.find(share_key);
  return found == shares_.end() ? 0 : found->second;
}

OfferSeq Outbox::settled_below() const {
  return offers_.empty() ? OfferSeq{last_.value + 1} : offers_.begin()->first;
}

std::vector<OfferSeq> Outbox::TakeSettled(std::size_t most) {
  const OfferSeq below = settled_below();
  std::erase_if(settled_, [below](OfferSeq seq) { return seq < below; });
  if (settled_.size() <= most) return std::exchange(settled_, {});
  const auto rest = settled_.begin() + static_cast<std::ptrdiff_t>(most);
  std::vector<OfferSeq> told(settled_.begin(), rest);
  settled_.erase(settled_.begin(), rest);
  return told;
}

}  // namespace gatehouse::ipc
