// The contacts of WatchedContacts: what is said to them, and what they say.
#include <algorithm>
#include <utility>

#include "core/address/sip_address.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/pair_name.h"
#include "plugins/sip_translator/watched_contacts_state.h"

namespace gatehouse::translator {
namespace {

constexpr seconds kProbeAfter{5};          // `subscribed`, and no presence
constexpr seconds kAskAgainAfter{10};      // a contact that had agreed does not answer a probe
constexpr std::chrono::hours kGiveUp{24};  // of asking a contact whose server cannot be reached
constexpr seconds kLastBackOff{3600};
constexpr std::size_t kPresenceIdOctets = 16;

}  // namespace

WatchedContacts::Watch& WatchedContacts::WatchOf(const PageAddresses& addresses) {
  std::string pair = PairName(addresses.from, addresses.to).TakeText();
  auto& watch = watches_[pair];
  if (watch) return *watch;
  auto entity = JidToSipUri(addresses.to, ResourceUse::kDrop);
  watch = std::make_unique<Watch>(*this, addresses, pair, std::move(entity).value_or(""));
  watch->give_up_at = context_.clock.Now() + kGiveUp;
  watch->active = approved_.Find(KeyOf(pair)) != nullptr;
  if (watch->active) {
    Say(*watch, "probe");
    watch->next = Stanza::kSubscribe;
    wheel_.Arm(*watch, context_.clock.Now() + kAskAgainAfter);
  } else {
    watch->next = Stanza::kSubscribe;
    SayDue(*watch);
  }
  return *watch;
}

void WatchedContacts::SayDue(Watch& watch) {
  const TimePoint now = context_.clock.Now();
  if (!watch.active && now >= watch.give_up_at) return EndAll(watch, kGivenUp);
  const Stanza next = std::exchange(watch.next, Stanza::kNone);
  if (next == Stanza::kProbe) return Say(watch, "probe");
  if (next != Stanza::kSubscribe) return;
  if (subscribed_.Add(KeyOf(watch.pair))) return Say(watch, "subscribe");
  watch.next = Stanza::kSubscribe;
  wheel_.Arm(watch, now + kSubscribePause);
}

void WatchedContacts::Say(Watch& watch, std::string_view type) {
  const Jid& user = watch.addresses.from;
  const Jid& contact = watch.addresses.to;
  const std::string share_key = ListenerLinks::ShareKey(user.domain, contact.domain);
  if (!waiting_.HasRoom(share_key)) return OnSaid(watch.pair, type != "subscribe");
  proto::OutboundStanza out;
  out.set_local_domain(user.domain);
  out.set_remote_domain(contact.domain);
  out.set_snapshot_hash(context_.policy->hash());
  *out.mutable_stanza() = MakeElement("presence", ns::kServer);
  SetAttribute(*out.mutable_stanza(), "from", user.Bare());
  SetAttribute(*out.mutable_stanza(), "to", contact.Bare());
  SetAttribute(*out.mutable_stanza(), "type", type);
  SetAttribute(*out.mutable_stanza(), "id", Base64Url(RandomBytes(kPresenceIdOctets)));
  waiting_.Offer(context_.listeners.OwnerOf(user.domain, contact.domain), share_key,
                 out.SerializeAsString(), context_.clock.Now() + kStanzaLife,
                 [this, pair = watch.pair, again = type == "subscribe"](const auto& outcome) {
                   const bool delivered = outcome.kind == ipc::OutcomeKind::kDelivered;
                   stanzas_.Count(delivered ? FlowResult::kDelivered : FlowResult::kFailed);
                   OnSaid(pair, delivered || !again);
                 });
}

// A contact whose server cannot be reached is asked again, ever more rarely.
void WatchedContacts::OnSaid(const std::string& pair, bool delivered) {
  const auto known = watches_.find(pair);
  if (delivered || known == watches_.end()) return;
  Watch& watch = *known->second;
  const TimePoint now = context_.clock.Now();
  watch.next = Stanza::kSubscribe;
  const TimePoint again = now + watch.back_off;
  wheel_.Arm(watch, watch.active ? again : std::min(again, watch.give_up_at));
  watch.back_off = std::min(watch.back_off * 2, kLastBackOff);
}

bool WatchedContacts::OnPresence(const proto::Element& presence, const StanzaAddresses& addresses) {
  const auto known = watches_.find(PairName(addresses.to, addresses.from).TakeText());
  if (known == watches_.end()) return false;
  Watch& watch = *known->second;
  const std::string_view type = Attribute(presence, "type");
  if (type == "subscribed") {
    OnApproved(watch);
  } else if (type == "unsubscribed") {
    approved_.Remove(KeyOf(watch.pair));
    EndByContact(watch, kRejected, "unsubscribed");
  } else if (type == "error") {
    OnError(watch, presence);
  } else if (type.empty() || type == "unavailable") {
    watch.heard_at = context_.clock.Now();
    if (watch.active) watch.next = Stanza::kNone;
    if (watch.presence.Take(presence, addresses.from.resource) && watch.active)
      NotifyAll(watch, false);
  } else {
    return false;
  }
  return true;
}

void WatchedContacts::OnApproved(Watch& watch) {
  approved_.Put(KeyOf(watch.pair), true);
  watch.back_off = kFirstBackOff;
  watch.next = Stanza::kNone;
  if (std::exchange(watch.active, true)) return;
  NotifyAll(watch, true);
  if (watch.presence.known()) return;
  watch.next = Stanza::kProbe;
  wheel_.Arm(watch, context_.clock.Now() + kProbeAfter);
}

void WatchedContacts::OnError(Watch& watch, const proto::Element& presence) {
  if (watch.active) return;
  const proto::Element* error = FindChild(presence, "error", ns::kServer);
  const proto::Element* word = error == nullptr ? nullptr : FirstChild(*error);
  const auto condition = word == nullptr ? proto::CONDITION_NONE : ConditionFromName(word->name());
  if (condition == proto::ITEM_NOT_FOUND) return EndByContact(watch, kNoResource, "item-not-found");
  if (condition == proto::FORBIDDEN) return EndByContact(watch, kRejected, "forbidden");
  OnSaid(watch.pair, false);
}

void WatchedContacts::EndAll(Watch& watch, Ending reason) {
  const std::vector<Dialog*> dialogs = watch.dialogs;
  for (Dialog* dialog : dialogs) End(*dialog, reason);  // the last takes `watch` with it
}

}  // namespace gatehouse::translator
