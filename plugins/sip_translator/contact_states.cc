#include "plugins/sip_translator/contact_states.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace gatehouse::translator {
ContactState ContactStates::StateOf(proto::ContactState state) {
  switch (state) {
    case proto::CONTACT_AUTHORISED:
      return ContactState::kAuthorised;
    case proto::CONTACT_BLOCKED:
      return ContactState::kBlocked;
    default:
      return ContactState::kNotAuthorised;
  }
}

std::string ContactStates::KeyOf(const ContactPair& pair) {
  std::string key;
  key.reserve(pair.sip_user.size() + pair.contact.size() + 1);
  key.append(pair.sip_user).append(1, ' ').append(pair.contact);  // no bare JID has a space
  return key;
}

ContactState ContactStates::Find(const ContactPair& pair) {
  const auto found = known_.find(KeyOf(pair));
  if (found == known_.end()) return ContactState::kNotAsked;
  if (clock_.Now() - found->second.since < life_) return found->second.state;
  known_.erase(found);
  return ContactState::kNotAsked;
}

bool ContactStates::Waits(const ContactPair& pair) const {
  return !open_.empty() && open_.contains(KeyOf(pair));
}

void ContactStates::Learn(const ContactPair& pair, ContactState state) {
  if (known_.size() >= kMaxKnown) known_.clear();
  known_.insert_or_assign(KeyOf(pair), Known{state, clock_.Now()});
}

void ContactStates::OnSnapshot(std::uint64_t contacts_epoch, seconds authorisation_ttl) {
  life_ = std::min<seconds>(kLife, authorisation_ttl);
  if (std::exchange(epoch_, contacts_epoch) != contacts_epoch) known_.clear();
}

void ContactStates::Await(const ContactPair& pair, Deadline expires, GoOn go_on) {
  std::string key = KeyOf(pair);
  Open& open = open_[key];
  open.waiters.push_back({expires, std::move(go_on)});
  ++waiting_;
  if (open.asked) return;
  open.pair = pair;
  AskFor(std::move(key), open);
}

void ContactStates::AskFor(std::string key, Open& open) {
  open.asked = true;
  proto::PolicyQuestion question;
  question.mutable_contact()->set_sip_user(open.pair.sip_user);
  question.mutable_contact()->set_contact(open.pair.contact);
  ask_(question, kAskLimit,
       [this, self = std::weak_ptr(self_), key = std::move(key),
        epoch = epoch_](const Result<proto::PolicyAnswer>& answer) {
         if (!self.expired()) OnAnswered(key, epoch, answer);
       });
}

void ContactStates::OnAnswered(const std::string& key, std::uint64_t epoch,
                               const Result<proto::PolicyAnswer>& answer) {
  const auto found = open_.find(key);
  if (found == open_.end()) return;  // all of them waited too long
  found->second.asked = false;
  if (!answer || !answer->has_contact()) return;           // Tick asks again
  if (epoch != epoch_) return AskFor(key, found->second);  // it may be void already
  Open done = std::move(found->second);
  open_.erase(found);
  waiting_ -= done.waiters.size();
  Learn(done.pair, StateOf(answer->contact().state()));
  for (const Waiter& waiter : done.waiters) waiter.go_on(true);
}

void ContactStates::Tick() {
  const TimePoint now = clock_.Now();
  std::vector<GoOn> late;
  for (auto next = open_.begin(); next != open_.end();) {
    const auto at = next++;
    Open& open = at->second;
    std::erase_if(open.waiters, [&](Waiter& waiter) {
      if (waiter.expires > now) return false;
      late.push_back(std::move(waiter.go_on));
      return true;
    });
    if (open.waiters.empty())
      open_.erase(at);
    else if (!open.asked)
      AskFor(at->first, open);
  }
  waiting_ -= late.size();
  for (const GoOn& go_on : late) go_on(false);
}

}  // namespace gatehouse::translator
