// Notification dialogs of WatchedContacts: what their watchers are told, and how they end.
#include <algorithm>
#include <utility>

#include "plugins/sip_translator/watched_contacts_state.h"

namespace gatehouse::translator {
namespace {

constexpr seconds kNotifyPause{5};  // RFC 3856 §6.10

// A dialog that its watcher does not know, or does not want, any more. RFC 6665 §4.2.2
bool EndsDialog(const SipFinal& final) {
  if (final.failure != SipFailure::kNone) return true;
  return final.status / 100 != 2 && final.status / 100 != 5;
}

}  // namespace

void WatchedContacts::NotifyAll(Watch& watch, bool at_once) {
  const std::vector<Dialog*> dialogs = watch.dialogs;
  for (Dialog* dialog : dialogs) {
    if (at_once) dialog->not_before = context_.clock.Now();
    dialog->wanted = true;
    if (dialog->not_before <= context_.clock.Now())
      Notify(*dialog);
    else
      Arm(*dialog);
  }
}

// One at a time in a dialog: what comes meanwhile is said by the next.
void WatchedContacts::Notify(Dialog& dialog) {
  dialog.wanted = true;
  if (dialog.under_way) return;
  const TimePoint now = context_.clock.Now();
  dialog.wanted = false;
  std::string state = dialog.last_state;
  std::string body = dialog.last_body;
  if (state.empty()) {
    const Watch& watch = *dialog.watch;
    const auto left = std::chrono::duration_cast<seconds>(dialog.ends_at - now);
    state = watch.active ? "active" : "pending";
    state += ";expires=" + std::to_string(std::max<std::int64_t>(left.count(), 0));
    if (watch.active && watch.presence.known())
      body = watch.presence.Pidf(watch.entity, context_.profile);
  }
  dialog.not_before = now + kNotifyPause;
  dialog.under_way = true;
  ++notifying_;
  const auto sent = context_.endpoint.SendRequest(
      dialog.sip.Notify(state, body),
      [this, alive = std::weak_ptr<bool>(alive_), key = dialog.sip.key()](const SipFinal& final) {
        if (!alive.expired()) OnNotified(key, final);
      });
  if (sent) return Arm(dialog);
  // Later, not now: who asked for this NOTIFY still goes through the dialogs.
  --notifying_;
  dialog.under_way = false;
  notifies_.Count(FlowResult::kFailed);
  dialog.wanted = true;
  if (sent.error() != SipSendRefusal::kTooMany) dialog.ends_at = now;
  Arm(dialog);
}

void WatchedContacts::OnNotified(const std::string& key, const SipFinal& final) {
  --notifying_;
  const bool taken = final.failure == SipFailure::kNone && final.status / 100 == 2;
  notifies_.Count(taken ? FlowResult::kDelivered : FlowResult::kFailed);
  const auto known = dialogs_.find(key);
  if (known == dialogs_.end()) return;
  Dialog& dialog = *known->second;
  dialog.under_way = false;
  const bool was_last = !dialog.last_state.empty() && !dialog.wanted;
  if (was_last || EndsDialog(final)) return Remove(dialog);
  if (!dialog.wanted) return;
  if (!dialog.last_state.empty() || dialog.not_before <= context_.clock.Now())
    Notify(dialog);
  else
    Arm(dialog);
}

void WatchedContacts::End(Dialog& dialog, Ending reason) {
  Watch* const watch = std::exchange(dialog.watch, nullptr);
  if (watch == nullptr) return Remove(dialog);  // its last NOTIFY could not be sent
  dialog.last_state = "terminated;reason=" + std::string(reason);
  if (watch->active && reason == kTimeout) dialog.last_body = ClosedPidf(watch->entity);
  std::erase(watch->dialogs, &dialog);
  if (watch->dialogs.empty()) Leave(*watch);
  dialog.ends_at = context_.clock.Now() + kStanzaLife;  // NOTIFYs take 32 s at most
  Notify(dialog);
}

void WatchedContacts::Arm(Dialog& dialog) {
  TimePoint due = dialog.ends_at;
  if (dialog.wanted && !dialog.under_way) due = std::min(due, dialog.not_before);
  wheel_.Arm(dialog, due);
}

void WatchedContacts::Remove(Dialog& dialog) {
  Watch* const watch = dialog.watch;
  places_.GiveBack(dialog.sip_user);
  if (watch != nullptr) std::erase(watch->dialogs, &dialog);
  dialogs_.erase(std::string(dialog.sip.key()));
  dialogs_gauge_ = static_cast<double>(dialogs_.size());
  if (watch != nullptr && watch->dialogs.empty()) Leave(*watch);
}

// The user's last dialog to the contact is over. 9.3; RFC 8048 §5.3.3
void WatchedContacts::Leave(Watch& watch) {
  if (watch.active) Say(watch, "unavailable");
  watches_.erase(std::string(watch.pair));
}

}  // namespace gatehouse::translator
