#include "plugins/sip_translator/watched_contacts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/pair_name.h"
#include "plugins/sip_translator/transaction_times.h"

namespace gatehouse::translator {
namespace {

constexpr seconds kNotifyPause{5};         // RFC 3856 §6.10
constexpr seconds kProbeAfter{5};          // `subscribed`, and no presence
constexpr seconds kAskAgainAfter{10};      // a contact that had agreed does not answer a probe
constexpr std::chrono::hours kStale{1};    // presence older than that is asked for at a refresh
constexpr std::chrono::hours kGiveUp{24};  // of asking a contact whose server cannot be reached
constexpr std::chrono::hours kApproved{720};
constexpr seconds kFirstBackOff{30};
constexpr seconds kLastBackOff{3600};
constexpr seconds kStanzaLife{60};
constexpr seconds kSubscribePause{3};  // 20 a minute for a contact, 9.4
constexpr std::size_t kChecksOfATick = 200;
constexpr std::size_t kStanzaIdOctets = 16;

constexpr std::string_view kRejected = "rejected";
constexpr std::string_view kNoResource = "noresource";
constexpr std::string_view kTimeout = "timeout";
constexpr std::string_view kDeactivated = "deactivated";
constexpr std::string_view kGivenUp = "giveup";

HandOverAnswer Answer(int status, std::string_view why) {
  return {.status = status, .why = std::string(why)};
}

// A dialog that its watcher does not know, or does not want, any more. RFC 6665 §4.2.2
bool EndsDialog(const SipFinal& final) {
  if (final.failure != SipFailure::kNone) return true;
  return final.status / 100 != 2 && final.status / 100 != 5;
}

std::string ContactUri(const SipEndpoint& endpoint, const SipPeer& peer, const Jid& contact) {
  std::string uri = "sip:";
  if (!contact.local.empty()) uri += LocalpartToSipUser(contact.local) + '@';
  uri += endpoint.SentBy(peer.transport);
  if (peer.transport == SipTransport::kTls) uri += ";transport=tls";
  if (peer.transport == SipTransport::kTcp) uri += ";transport=tcp";
  return uri;
}

std::vector<SipExtraHeader> Granted(const SubscriptionDialog& dialog, const SipMessage& subscribe) {
  std::vector<SipExtraHeader> headers = {{"Expires", std::to_string(dialog.expires_s())},
                                         {"Contact", '<' + dialog.contact() + '>'}};
  for (const SipHeader& header : subscribe.headers())
    if (header.name == "Record-Route")
      headers.push_back({"Record-Route", std::string(header.value)});
  return headers;
}

Envelope EnvelopeOf(const PageAddresses& addresses) {
  return {.kind = TrafficKind::kSipSubscribe,
          .local_domain = addresses.from.domain,
          .remote_domain = addresses.to.domain,
          .local_part = addresses.from.local};
}

}  // namespace

// One SIP user and one contact.
class WatchedContacts::Watch final : public WheelTimer {
 public:
  Watch(WatchedContacts& home, const PageAddresses& who, std::string name, std::string uri)
      : owner(home), addresses(who), pair(std::move(name)), entity(std::move(uri)) {}
  void OnDue(TimePoint) override { owner.SayDue(*this); }

  WatchedContacts& owner;
  PageAddresses addresses;  // from: the SIP user; to: the contact; both bare
  std::string pair;
  std::string entity;   // the contact's SIP URI
  bool active = false;  // the contact has agreed
  ContactPresence presence;
  TimePoint heard_at{};
  std::vector<Dialog*> dialogs;
  Stanza next = Stanza::kNone;  // what the timer says
  seconds back_off = kFirstBackOff;
  TimePoint give_up_at{};
};

class WatchedContacts::Dialog final : public WheelTimer {
 public:
  Dialog(WatchedContacts& home, SubscriptionDialog with, std::string user)
      : owner(home), sip(std::move(with)), sip_user(std::move(user)) {}
  void OnDue(TimePoint now) override {
    if (now >= ends_at) return owner.End(*this, kTimeout);
    owner.Notify(*this);
  }

  WatchedContacts& owner;
  SubscriptionDialog sip;
  std::string sip_user;
  Watch* watch = nullptr;  // null: it is ending
  std::string last_state;  // not empty: Subscription-State of the last NOTIFY there will be
  std::string last_body;
  TimePoint ends_at = kNever;
  TimePoint not_before{};  // of the next NOTIFY
  bool wanted = false;     // a NOTIFY
  bool under_way = false;  // a NOTIFY
};

WatchedContacts::WatchedContacts(FlowContext& context, AskPolicy ask)
    : context_(context),
      ask_(std::move(ask)),
      wheel_(context.clock.Now()),
      waiting_(context.clock),
      subscribed_(context.clock, kSubscribePause),
      approved_(context.clock, kApproved),
      subscribes_(context.metrics, "gatehouse_sip_subscribes_total", "in"),
      notifies_(context.metrics, "gatehouse_sip_notifies_total", "out"),
      stanzas_(context.metrics, "gatehouse_stanzas_total", "out"),
      dialogs_gauge_(context.metrics.Value("gatehouse_sip_subscriptions", "{direction=\"in\"}")) {}

WatchedContacts::~WatchedContacts() = default;

// --- SUBSCRIBE

void WatchedContacts::Refuse(const SipReply& reply, std::string_view who,
                             const HandOverAnswer& answer) {
  subscribes_.Count(FlowResult::kRefused);
  if (const auto left_out = context_.log_sampler.Admit("subscribe"))
    Log(LogLevel::kInfo, "subscribe-refused",
        {{"from", who},
         {"status", answer.status},
         {"reason", ReasonCode(answer.reason)},
         {"why", answer.why},
         {"id", answer.id},
         {"left_out", *left_out}});
  reply(answer.status, {}, answer.headers);
}

void WatchedContacts::OnSubscribe(const SipMessage& subscribe, const SipPeer& peer,
                                  const SipReply& reply) {
  auto request = ReadSubscribe(subscribe);
  if (!request) return Refuse(reply, subscribe.from().uri, request.error());
  if (!subscribe.to().tag.empty()) return OnInDialog(subscribe, *request, reply);
  OnInitial(subscribe, *std::move(request), peer, reply);
}

// 6.3 for both ends, and 11.8 "per request".
Result<PageAddresses, HandOverAnswer> WatchedContacts::Address(const SipMessage& subscribe) {
  auto to = SipUriToJid(subscribe.request_uri());
  if (!to) return std::unexpected(RefusedWith(to.error()));
  auto from = SipUriToJid(subscribe.from().uri);
  if (!from) return std::unexpected(RefusedWith(from.error()));
  if (from->local.empty() || context_.served.Find(from->domain) == nullptr)
    return std::unexpected(Answer(403, "From is no user of ours"));
  from->resource.clear();
  to->resource.clear();
  PageAddresses addresses{*std::move(from), *std::move(to)};
  const Verdict verdict = context_.DecideOn(EnvelopeOf(addresses), addresses.from, addresses.to);
  // What the engine has to say of the contact it says when it learns of the subscription.
  if (verdict.allowed() || verdict.decision == Decision::kAskEngine) return addresses;
  return std::unexpected(Denied(addresses, verdict));
}

HandOverAnswer WatchedContacts::Denied(const PageAddresses& addresses, const Verdict& verdict) {
  return DeniedBy(
      verdict, addresses.from.domain,
      context_.NoteRefusal(TrafficKind::kSipSubscribe, addresses.from, addresses.to, verdict));
}

Result<void, HandOverAnswer> WatchedContacts::FindRoom(const std::string& user) const {
  const auto of_user = dialogs_of_user_.find(user);
  if (dialogs_.size() >= kMaxDialogs) return std::unexpected(Overloaded("too many subscriptions"));
  if (of_user != dialogs_of_user_.end() && of_user->second >= kMaxDialogsOfAUser)
    return std::unexpected(Overloaded("too many subscriptions of the user"));
  return {};
}

void WatchedContacts::OnInitial(const SipMessage& subscribe, SubscribeRequest request,
                                const SipPeer& peer, const SipReply& reply) {
  auto addresses = Address(subscribe);
  if (!addresses) return Refuse(reply, subscribe.from().uri, addresses.error());
  if (const auto room = FindRoom(addresses->from.Bare()); !room)
    return Refuse(reply, subscribe.from().uri, room.error());
  context_.spellings.Learn(addresses->from, subscribe.from().uri);
  SubscriptionDialog dialog(subscribe, std::move(request),
                            ContactUri(context_.endpoint, peer, addresses->to));
  auto headers = Granted(dialog, subscribe);
  if (dialog.expires_s() == 0) {
    subscribes_.Count(FlowResult::kAnswered);
    reply(200, {}, headers);
    return Poll(std::move(dialog), *addresses);
  }
  Learn(*addresses, reply,
        [this, reply, addresses = *addresses, dialog = std::move(dialog),
         headers = std::move(headers)]() mutable {
          subscribes_.Count(FlowResult::kDelivered);
          reply(200, {}, headers);
          Begin(std::move(dialog), addresses);
        });
}

void WatchedContacts::OnInDialog(const SipMessage& subscribe, const SubscribeRequest& request,
                                 const SipReply& reply) {
  const std::string key = SubscriptionDialog::KeyOf(subscribe);
  const auto known = dialogs_.find(key);
  const auto gone = [this, reply, from = std::string(subscribe.from().uri)] {
    Refuse(reply, from, Answer(481, "no such subscription"));
  };
  if (known == dialogs_.end() || known->second->watch == nullptr ||
      known->second->sip.event() != request.event)
    return gone();
  Dialog& dialog = *known->second;
  if (!dialog.sip.Refresh(subscribe, request))
    return Refuse(reply, subscribe.from().uri, Answer(500, "out of order"));
  auto headers = Granted(dialog.sip, subscribe);
  if (request.expires_s == 0) {
    subscribes_.Count(FlowResult::kAnswered);
    reply(200, {}, headers);
    return End(dialog, kTimeout);
  }
  Learn(dialog.watch->addresses, reply, [this, key, gone, reply, headers = std::move(headers)] {
    const auto still = dialogs_.find(key);
    if (still == dialogs_.end() || still->second->watch == nullptr) return gone();
    Dialog& refreshed = *still->second;
    subscribes_.Count(FlowResult::kDelivered);
    reply(200, {}, headers);
    const TimePoint now = context_.clock.Now();
    refreshed.ends_at = now + seconds{refreshed.sip.expires_s()};
    refreshed.not_before = now;
    Notify(refreshed);
    Watch& watch = *refreshed.watch;
    if (watch.active && now - watch.heard_at >= kStale) Say(watch, "probe");
  });
}

void WatchedContacts::Learn(const PageAddresses& addresses, const SipReply& reply,
                            std::function<void()> then) {
  proto::PolicyQuestion question;
  question.mutable_contact_seen()->set_sip_user(addresses.from.Bare());
  question.mutable_contact_seen()->set_contact(addresses.to.Bare());
  ++asking_;
  ask_(question, [this, alive = std::weak_ptr<bool>(alive_), addresses, reply,
                  then = std::move(then)](Result<proto::ContactState> state) {
    if (alive.expired()) return;
    --asking_;
    const std::string who = addresses.from.Bare();
    if (!state) return Refuse(reply, who, Overloaded(state.error().text));
    context_.contacts.Learn({who, addresses.to.Bare()}, ContactStates::StateOf(*state));
    if (*state == proto::CONTACT_BLOCKED) {
      Envelope blocked = EnvelopeOf(addresses);
      blocked.contact = ContactState::kBlocked;
      return Refuse(reply, who, Denied(addresses, Decide(*context_.policy, blocked)));
    }
    if (*state != proto::CONTACT_AUTHORISED)
      return Refuse(reply, who, Answer(404, "the contact's domain is no partner's any more"));
    if (draining_) return Refuse(reply, who, Overloaded("ending"));
    then();
  });
}

WatchedContacts::Dialog& WatchedContacts::Place(SubscriptionDialog dialog, const Jid& user) {
  // The same request in a new transaction: the older one is nobody's.
  if (const auto old = dialogs_.find(dialog.key()); old != dialogs_.end()) Remove(*old->second);
  const std::string key = dialog.key();
  auto placed = std::make_unique<Dialog>(*this, std::move(dialog), user.Bare());
  ++dialogs_of_user_[placed->sip_user];
  Dialog& begun = *dialogs_.emplace(key, std::move(placed)).first->second;
  dialogs_gauge_ = static_cast<double>(dialogs_.size());
  return begun;
}

void WatchedContacts::Begin(SubscriptionDialog dialog, const PageAddresses& addresses) {
  Dialog& begun = Place(std::move(dialog), addresses.from);
  Watch& watch = WatchOf(addresses);
  begun.watch = &watch;
  watch.dialogs.push_back(&begun);
  begun.ends_at = context_.clock.Now() + seconds{begun.sip.expires_s()};
  Notify(begun);
}

// A look at what is known; it asks nobody and teaches nothing.
void WatchedContacts::Poll(SubscriptionDialog dialog, const PageAddresses& addresses) {
  const auto watch = watches_.find(PairName(addresses.from, addresses.to).TakeText());
  Dialog& look = Place(std::move(dialog), addresses.from);
  look.last_state = "terminated;reason=timeout";
  if (watch != watches_.end() && watch->second->active && watch->second->presence.known())
    look.last_body = watch->second->presence.Pidf(watch->second->entity, context_.profile);
  Notify(look);
}

// --- the contact

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
  SetAttribute(*out.mutable_stanza(), "id", Base64Url(RandomBytes(kStanzaIdOctets)));
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
    EndAll(watch, kRejected);
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
  if (condition == proto::ITEM_NOT_FOUND) return EndAll(watch, kNoResource);
  if (condition == proto::FORBIDDEN) return EndAll(watch, kRejected);
  OnSaid(watch.pair, false);
}

void WatchedContacts::EndAll(Watch& watch, Ending reason) {
  const std::vector<Dialog*> dialogs = watch.dialogs;
  for (Dialog* dialog : dialogs) End(*dialog, reason);  // the last takes `watch` with it
}

// --- NOTIFY

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
  const auto of_user = dialogs_of_user_.find(dialog.sip_user);
  if (--of_user->second == 0) dialogs_of_user_.erase(of_user);
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

// --- policy and time

void WatchedContacts::OnSnapshot() {
  const std::uint64_t epoch = context_.policy->snapshot().contacts_epoch();
  const bool contacts_changed = std::exchange(contacts_epoch_, epoch) != epoch;
  std::vector<std::string> denied;
  to_check_.clear();
  for (const auto& [pair, watch] : watches_) {
    const Verdict verdict = Decide(*context_.policy, EnvelopeOf(watch->addresses));
    if (!verdict.allowed() && verdict.decision != Decision::kAskEngine)
      denied.push_back(pair);
    else if (contacts_changed)
      to_check_.push_back(pair);
  }
  for (const std::string& pair : denied) EndAll(*watches_.at(pair), kRejected);
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
           if (*state == proto::CONTACT_BLOCKED) EndAll(*still->second, kRejected);
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
  for (const auto& [pair, watch] : watches_) watches.push_back(watch.get());
  for (Watch* watch : watches) EndAll(*watch, kDeactivated);
}

}  // namespace gatehouse::translator
