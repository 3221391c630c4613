// SUBSCRIBEs of WatchedContacts: checked, learned by the policy engine, answered.
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "plugins/sip_translator/refusal_note.h"
#include "plugins/sip_translator/watched_contacts_state.h"

namespace gatehouse::translator {
namespace {

constexpr std::chrono::hours kStale{1};  // presence older than that is asked for at a refresh

HandOverAnswer NoUserOfOurs() {
  return RefusedWith({403, "From is no user of ours"});
}

HandOverAnswer AnswerWith(int status, std::string_view why, Reason reason) {
  return {.status = status, .why = std::string(why), .reason = reason};
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

}  // namespace

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
  reply(answer.status, answer.reason, answer.headers);
}

void WatchedContacts::OnSubscribe(const SipMessage& subscribe, const SipPeer& peer,
                                  const SipReply& reply) {
  auto request = ReadSubscribe(subscribe);
  if (!request) {
    NoteUnserved(context_, RefusedRequest::Of(subscribe), request.error());
    return Refuse(reply, subscribe.from().uri, request.error());
  }
  if (!subscribe.to().tag.empty()) return OnInDialog(subscribe, *request, reply);
  OnInitial(subscribe, *std::move(request), peer, reply);
}

// 6.3 for both ends, and 11.8 "per request".
Result<PageAddresses, HandOverAnswer> WatchedContacts::Address(const SipMessage& subscribe) {
  auto to = SipUriToJid(subscribe.request_uri());
  if (!to) return std::unexpected(NoCounterpart(to.error()));
  auto from = SipUriToJid(subscribe.from().uri);
  if (!from) return std::unexpected(NoCounterpart(from.error()));
  if (from->local.empty() || context_.served.Find(from->domain) == nullptr)
    return std::unexpected(NoUserOfOurs());
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

void WatchedContacts::OnInitial(const SipMessage& subscribe, SubscribeRequest request,
                                const SipPeer& peer, const SipReply& reply) {
  const auto refuse = [&](HandOverAnswer answer) {
    NoteUnserved(context_, RefusedRequest::Of(subscribe), answer);
    Refuse(reply, subscribe.from().uri, answer);
  };
  auto addresses = Address(subscribe);
  if (!addresses) return refuse(addresses.error());
  const std::string user = addresses->from.Bare();
  if (const auto place = places_.Take(user); !place)
    return refuse(TooManySubscriptions(addresses->from.domain, place.error()));
  context_.spellings.Learn(addresses->from, subscribe.from().uri);
  SubscriptionDialog dialog(subscribe, std::move(request),
                            ContactUri(context_.endpoint, peer, addresses->to));
  auto headers = Granted(dialog, subscribe);
  if (dialog.expires_s() == 0) {
    subscribes_.Count(FlowResult::kAnswered);
    reply(200, Reason::kNone, headers);
    return Poll(std::move(dialog), *addresses);
  }
  Learn(*addresses, reply,
        [this, reply, addresses = *addresses, dialog = std::move(dialog),
         headers = std::move(headers), user](bool learned) mutable {
          if (!learned) return places_.GiveBack(user);
          subscribes_.Count(FlowResult::kDelivered);
          reply(200, Reason::kNone, headers);
          Begin(std::move(dialog), addresses);
        });
}

void WatchedContacts::OnInDialog(const SipMessage& subscribe, const SubscribeRequest& request,
                                 const SipReply& reply) {
  // Its Request-URI is ours; the contact stands in To.
  const auto refuse = [this, reply, from = std::string(subscribe.from().uri),
                       to = std::string(subscribe.to().uri)](HandOverAnswer answer) {
    NoteUnserved(context_, {"SUBSCRIBE", from, to}, answer);
    Refuse(reply, from, answer);
  };
  // A reload may have taken his domain away.
  const auto user = SipUriToJid(subscribe.from().uri);
  if (!user || context_.served.Find(user->domain) == nullptr) return refuse(NoUserOfOurs());
  const std::string key = SubscriptionDialog::KeyOf(subscribe);
  const auto known = dialogs_.find(key);
  const auto gone = [refuse] {
    refuse(AnswerWith(481, "no such subscription", Reason::kNoSuchDialog));
  };
  if (known == dialogs_.end() || known->second->watch == nullptr ||
      known->second->sip.event() != request.event)
    return gone();
  Dialog& dialog = *known->second;
  if (!dialog.sip.Refresh(subscribe, request))
    return refuse(AnswerWith(500, "CSeq goes backwards", Reason::kMalformedRequest));
  auto headers = Granted(dialog.sip, subscribe);
  if (request.expires_s == 0) {
    subscribes_.Count(FlowResult::kAnswered);
    reply(200, Reason::kNone, headers);
    return End(dialog, kTimeout);
  }
  Learn(dialog.watch->addresses, reply,
        [this, key, gone, reply, headers = std::move(headers)](bool learned) {
          if (!learned) return;
          const auto still = dialogs_.find(key);
          if (still == dialogs_.end() || still->second->watch == nullptr) return gone();
          Dialog& refreshed = *still->second;
          subscribes_.Count(FlowResult::kDelivered);
          reply(200, Reason::kNone, headers);
          const TimePoint now = context_.clock.Now();
          refreshed.ends_at = now + seconds{refreshed.sip.expires_s()};
          refreshed.not_before = now;
          Notify(refreshed);
          Watch& watch = *refreshed.watch;
          if (watch.active && now - watch.heard_at >= kStale) Say(watch, "probe");
        });
}

void WatchedContacts::Learn(const PageAddresses& addresses, const SipReply& reply,
                            std::function<void(bool learned)> then) {
  proto::PolicyQuestion question;
  question.mutable_contact_seen()->set_sip_user(addresses.from.Bare());
  question.mutable_contact_seen()->set_contact(addresses.to.Bare());
  ++asking_;
  ask_(question, [this, alive = std::weak_ptr<bool>(alive_), addresses, reply,
                  then = std::move(then)](const Result<proto::ContactState>& state) {
    if (alive.expired()) return;
    --asking_;
    then(!IsRefused(addresses, reply, state));
  });
}

bool WatchedContacts::IsRefused(const PageAddresses& addresses, const SipReply& reply,
                                const Result<proto::ContactState>& state) {
  const std::string who = addresses.from.Bare();
  HandOverAnswer answer;
  if (state) context_.contacts.Learn({who, addresses.to.Bare()}, ContactStates::StateOf(*state));
  if (!state) {
    answer = PolicyUnavailable();
    answer.why = state.error().text;
  } else if (*state == proto::CONTACT_BLOCKED) {
    Envelope blocked = EnvelopeOf(addresses);
    blocked.contact = ContactState::kBlocked;
    answer = Denied(addresses, Decide(*context_.policy, blocked));
  } else if (*state == proto::CONTACT_NO_ROOM) {
    answer = TooManyContacts(addresses.from.domain);
  } else if (*state != proto::CONTACT_AUTHORISED) {
    answer =
        AnswerWith(404, "the contact's domain is no partner's any more", Reason::kUnknownPartner);
  } else if (draining_) {
    answer = Overloaded("ending");
  } else {
    return false;
  }
  NoteAnswer(context_, TrafficKind::kSipSubscribe, addresses, answer);
  Refuse(reply, who, answer);
  return true;
}

WatchedContacts::Dialog& WatchedContacts::Place(SubscriptionDialog dialog, const Jid& user) {
  // The same request in a new transaction: the older one is nobody's.
  if (const auto old = dialogs_.find(dialog.key()); old != dialogs_.end()) Remove(*old->second);
  const std::string key = dialog.key();
  auto placed = std::make_unique<Dialog>(*this, std::move(dialog), user.Bare());
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

}  // namespace gatehouse::translator
