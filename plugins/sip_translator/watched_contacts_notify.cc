// Notification dialogs of WatchedContacts: what their watchers are told, and how they end.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/base/utf8_check.h"
#include "plugins/sip_translator/message_queue.h"
#include "plugins/sip_translator/refusal_note.h"
#include "plugins/sip_translator/text.h"
#include "plugins/sip_translator/watched_contacts_state.h"

namespace gatehouse::translator {
namespace {

constexpr seconds kNotifyPause{5};  // RFC 3856 §6.10
constexpr int kNoSuchDialog = 481;
constexpr std::size_t kMaxTargetOctets = 160;

// A dialog that its watcher does not know, or does not want, any more. RFC 6665 §4.2.2
bool EndsDialog(const SipFinal& final) {
  if (final.failure != SipFailure::kNone) return true;
  return final.status / 100 != 2 && final.status / 100 != 5;
}

// Empty: nothing is wrong, or a watcher who has gone by himself.
std::string WhyUndelivered(const SipFinal& final) {
  if (final.failure != SipFailure::kNone) return NoAnswer(final.failure).log;
  if (final.status / 100 == 2 || final.status == kNoSuchDialog) return {};
  return fmt::format("answered by {}", final.status);
}

void LogEnd(FlowContext& context, const PageAddresses& addresses, Reason reason,
            std::string_view id) {
  if (const auto left_out = context.log_sampler.Admit("watch-ended"))
    Log(LogLevel::kInfo, "watch-ended",
        {{"user", addresses.from.Bare()},
         {"contact", addresses.to.Bare()},
         {"reason", ReasonCode(reason)},
         {"id", id},
         {"left_out", *left_out}});
}

}  // namespace

void WatchedContacts::EndByPolicy(Watch& watch, const Verdict& verdict) {
  const PageAddresses& who = watch.addresses;
  LogEnd(context_, who, verdict.reason,
         context_.NoteRefusal(TrafficKind::kSipSubscribe, who.from, who.to, verdict));
  EndAll(watch, kRejected);
}

void WatchedContacts::EndByContact(Watch& watch, Ending reason, std::string_view word) {
  const PageAddresses& who = watch.addresses;
  const auto noted = NoteEndedWatch(context_, {who.from.Bare(), who.to.Bare()},
                                    Reason::kContactDeclined, word, word);
  if (noted.is_new) LogEnd(context_, who, Reason::kContactDeclined, noted.id);
  EndAll(watch, reason);
}

void WatchedContacts::NoteUndelivered(const Dialog& dialog, std::string_view why) {
  const auto contact = SipUriToJid(dialog.sip.watched_uri());
  const std::string bare = contact ? contact->Bare() : std::string();
  const std::string target = OneLine(AsUtf8(dialog.sip.next_hop()), kMaxTargetOctets);
  const auto noted = NoteEndedWatch(context_, {dialog.sip_user, bare}, Reason::kNotifyUndelivered,
                                    "", fmt::format("{}; NOTIFY to {}", why, target));
  if (!noted.is_new) return;
  const auto left_out = context_.log_sampler.Admit("notify");
  if (!left_out) return;
  const ReasonEntry& entry = EntryOf(Reason::kNotifyUndelivered);
  Log(LogLevel::kWarning, "notify-undelivered",
      {{"user", dialog.sip_user},
       {"contact", bare},
       {"target", target},
       {"reason", entry.code},
       {"why", why},
       {"remedy", entry.remedy},
       {"id", noted.id},
       {"left_out", *left_out}});
}

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
  if (sent.error() != SipSendRefusal::kTooMany) {
    dialog.ends_at = now;
    NoteUndelivered(dialog, "it is no address to send to");
  }
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
  if (const std::string why = WhyUndelivered(final); !why.empty()) NoteUndelivered(dialog, why);
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
