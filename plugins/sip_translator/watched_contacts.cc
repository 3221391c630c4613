#include "plugins/sip_translator/watched_contacts.h"

#include <utility>

#include "plugins/sip_translator/watched_contacts_state.h"

namespace gatehouse::translator {
namespace {

constexpr std::chrono::hours kApproved{720};
constexpr std::size_t kChecksOfATick = 200;

}  // namespace

WatchedContacts::WatchedContacts(FlowContext& context, AskPolicy ask, DialogLimits limits)
    : context_(context),
      ask_(std::move(ask)),
      wheel_(context.clock.Now()),
      waiting_(context.clock),
      subscribed_(context.clock, kSubscribePause),
      approved_(context.clock, kApproved),
      subscribes_(context.metrics, "gatehouse_sip_subscribes_total", "in"),
      notifies_(context.metrics, "gatehouse_sip_notifies_total", "out"),
      stanzas_(context.metrics, "gatehouse_stanzas_total", "out"),
      dialogs_gauge_(context.metrics.Value("gatehouse_sip_subscriptions", "{direction=\"in\"}")),
      places_(limits) {}

WatchedContacts::~WatchedContacts() = default;

void WatchedContacts::OnSnapshot() {
  const std::uint64_t epoch = context_.policy->snapshot().contacts_epoch();
  const bool contacts_changed = std::exchange(contacts_epoch_, epoch) != epoch;
  std::vector<std::pair<std::string, Verdict>> denied;
  if (contacts_changed) to_check_.clear();
  for (const auto& [pair, watch] : watches_) {
    const Verdict verdict = Decide(*context_.policy, EnvelopeOf(watch->addresses));
    if (!verdict.allowed() && verdict.decision != Decision::kAskEngine)
      denied.emplace_back(pair, verdict);
    else if (contacts_changed)
      to_check_.push_back(pair);
  }
  for (const auto& [pair, verdict] : denied) EndByPolicy(*watches_.at(pair), verdict);
}

// An administrator may have blocked some of those that are watched.
void WatchedContacts::CheckSome() {
  for (std::size_t i = 0; i < kChecksOfATick && !to_check_.empty(); ++i) {
    const std::string pair = std::move(to_check_.back());
    to_check_.pop_back();
    const auto watch = watches_.find(pair);
    if (watch == watches_.end()) continue;
    proto::PolicyQuestion question;
    question.mutable_contact()->set_sip_user(watch->second->addresses.from.Bare());
    question.mutable_contact()->set_contact(watch->second->addresses.to.Bare());
    ask_(question,
         [this, alive = std::weak_ptr<bool>(alive_), pair](Result<proto::ContactState> state) {
           if (alive.expired()) return;
           const auto still = watches_.find(pair);
           if (still == watches_.end()) return;
           if (!state) return to_check_.push_back(pair);
           if (*state != proto::CONTACT_BLOCKED) return;
           Envelope blocked = EnvelopeOf(still->second->addresses);
           blocked.contact = ContactState::kBlocked;
           EndByPolicy(*still->second, Decide(*context_.policy, blocked));
         });
  }
}

void WatchedContacts::Tick() {
  wheel_.Advance(context_.clock.Now());
  CheckSome();
}

void WatchedContacts::Drain() {
  draining_ = true;
  std::vector<Watch*> watches;
  watches.reserve(watches_.size());
  for (const auto& [pair, watch] : watches_) watches.push_back(watch.get());
  for (Watch* watch : watches) EndAll(*watch, kDeactivated);
}

}  // namespace gatehouse::translator
