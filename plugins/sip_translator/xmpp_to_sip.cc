#include "plugins/sip_translator/xmpp_to_sip.h"

#include <array>
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/hand_over.h"
#include "plugins/sip_translator/iq_answers.h"
#include "plugins/sip_translator/pair_name.h"
#include "plugins/sip_translator/refusal_note.h"
#include "plugins/sip_translator/stanza_kind.h"
#include "plugins/sip_translator/transaction_ids.h"

namespace gatehouse::translator {
namespace {

constexpr std::chrono::minutes kRepeatSpan{5};  // 8.9

// Odd, so never 0. A digest again: an id is whatever its sender likes, and must not make two
// contents equal.
std::uint64_t RepeatKey(std::uint64_t content_key, std::string_view id) {
  return KeyOf({reinterpret_cast<const char*>(&content_key), sizeof content_key}, id) | 1U;
}

std::unexpected<StanzaAnswer> NoAddress(proto::StanzaCondition condition) {
  return std::unexpected(StanzaAnswer{condition, ErrorTypeFromName(DefaultErrorType(condition))});
}

// 8.2.1: From is the contact, with its resource as gr where the profile bears that (6.4); To and
// Request-URI are the SIP user, spelled as he spells himself (6.5).
struct SipAddresses {
  std::string from;
  std::string to;
};
Result<SipAddresses, StanzaAnswer> AddressRequest(const FlowContext& context,
                                                  const StanzaAddresses& addresses,
                                                  std::string_view bare_to) {
  const bool gruu = context.profile != SipProfile::kLync;
  auto from = JidToSipUri(addresses.from, gruu ? ResourceUse::kAsGruu : ResourceUse::kDrop);
  if (!from) return NoAddress(from.error());
  auto to = JidToSipUri(addresses.to, ResourceUse::kDrop);
  if (!to) return NoAddress(to.error());
  return SipAddresses{*std::move(from), context.spellings.Spell(bare_to, *std::move(to))};
}

SipOutgoing MakeRequest(const SipAddresses& uris, const PageContent& content,
                        const TransactionIds& ids, const ServedDomain& domain) {
  const std::array<SipHeaderField, 3> headers = {{{"Subject", content.subject},
                                                  {"Date", content.date},
                                                  {"Content-Language", content.content_language}}};
  return SipOutgoing(
      {.request_uri = uris.to,
       .from_uri = uris.from,
       .from_tag = ids.tag,
       .to_uri = uris.to,
       .call_id = content.thread.empty() ? std::string_view(ids.call_id) : content.thread,  // 8.6
       .cseq = ids.cseq,
       .branch = ids.branch,
       .headers = headers,
       .content_type = "text/plain; charset=UTF-8",
       .body = content.body,
       .next_hop = domain.next_hop,
       .max_bytes = domain.page_mode_max});
}

// What the error needs of a stanza is little; a large payload is not kept for it.
std::string KeepForError(const proto::InboundStanza& inbound, std::string_view serialised) {
  constexpr std::size_t kKeptWhole = 2048;
  if (serialised.size() <= kKeptWhole) return std::string(serialised);
  proto::InboundStanza head;
  head.set_from_domain(inbound.from_domain());
  head.set_to_domain(inbound.to_domain());
  head.set_method(inbound.method());
  *head.mutable_stanza() = HeadOf(inbound.stanza(), {}).head;
  return head.SerializeAsString();
}

}  // namespace

XmppToSip::XmppToSip(FlowContext& context, OnMalformed malformed, Watchers watchers)
    : context_(context),
      malformed_(std::move(malformed)),
      watchers_(std::move(watchers)),
      stanzas_(context.metrics, "gatehouse_stanzas_total", "in"),
      messages_(context.metrics, "gatehouse_sip_messages_total", "out"),
      replies_(context),
      late_errors_(context),
      queue_(context.clock, context.endpoint,
             [this](QueuedMessage& message, const SipResult& result) { OnDone(message, result); }),
      seen_(context.clock, kRepeatSpan),
      flood_(context.clock) {}

XmppToSip::~XmppToSip() {
  LeaveToNextLife();
}

void XmppToSip::LeaveToNextLife() {
  for (Held& held : held_) held.ticket.Abandon();
  held_.clear();
  for (auto& [number, held] : awaiting_) held.ticket.Abandon();
  awaiting_.clear();
  queue_.AbandonAll();
  replies_.AbandonAll();
}

XmppToSip::Held XmppToSip::Keep(const ipc::Received& offer, ipc::Ticket ticket) {
  return {std::string(offer.instance),
          std::string(offer.body),
          offer.sender_epoch,
          offer.seq,
          offer.attempt,
          offer.expires,
          std::move(ticket)};
}

void XmppToSip::OnOffer(const ipc::Received& offer, ipc::Ticket ticket) {
  if (context_.policy && !draining_) return Take(offer, std::move(ticket));
  held_.push_back(Keep(offer, std::move(ticket)));
}

void XmppToSip::OnSnapshot() {
  if (draining_) return;
  for (Held& held : std::exchange(held_, {})) Take(held.offer(), std::move(held.ticket));
}

void XmppToSip::Tick() {
  queue_.ExpireWaiting();
}

void XmppToSip::Take(const ipc::Received& offer, ipc::Ticket ticket) {
  auto& inbound = arena_.Make<proto::InboundStanza>();
  const bool parsed =
      inbound.ParseFromArray(offer.body.data(), static_cast<int>(offer.body.size()));
  // That listener judges whether it may be sent: it knows the partner and its streams.
  if (parsed && inbound.has_own())
    return replies_.Relay(inbound.own(), offer.expires, std::move(ticket));
  auto addresses = parsed ? CheckInbound(inbound) : std::nullopt;
  if (!addresses) {
    ticket.Abandon();
    return malformed_(offer.instance, "a stanza outside its pair or beyond the limits");
  }
  const TrafficKind kind = KindOf(inbound.stanza(), addresses->to);
  Incoming incoming{offer, inbound, inbound.stanza(), *std::move(addresses), std::move(ticket),
                    kind};
  const Verdict verdict = Judge(incoming);
  if (verdict.decision == Decision::kAskEngine) return Await(std::move(incoming));
  if (!verdict.allowed()) return Refuse(std::move(incoming), verdict);
  if (incoming.stanza.name() == "message") return OnMessage(std::move(incoming));
  if (incoming.stanza.name() == "iq") return OnIq(std::move(incoming));
  OnPresence(std::move(incoming));
}

Verdict XmppToSip::Judge(const Incoming& incoming) {
  const StanzaAddresses& addresses = incoming.addresses;
  const bool served = context_.served.Find(addresses.to.domain) != nullptr;
  return context_.DecideOn({.kind = incoming.kind,
                            .local_domain = served ? addresses.to.domain : std::string_view(),
                            .remote_domain = addresses.from.domain,
                            .method = incoming.inbound.method(),
                            .awaited = IsAwaited(incoming),
                            .local_part = addresses.to.local},
                           addresses.to, addresses.from);
}

bool XmppToSip::IsAwaited(const Incoming& incoming) const {
  // Which contacts were approved is not known here, so that nobody is told that he was not.
  if (incoming.kind == TrafficKind::kProbe) return true;
  const bool asked_for =
      incoming.kind == TrafficKind::kSubscribed || incoming.kind == TrafficKind::kPresence;
  return asked_for && watchers_.watch && watchers_.watch(incoming.addresses);
}

// Taken anew, from the start, once the contact's state is known.
void XmppToSip::Await(Incoming incoming) {
  const std::uint64_t number = ++last_awaiting_;
  awaiting_.emplace(number, Keep(incoming.offer, std::move(incoming.ticket)));
  context_.contacts.Await({incoming.addresses.to.Bare(), incoming.addresses.from.Bare()},
                          incoming.offer.expires,
                          [this, number](bool known) { OnAwaited(number, known); });
}

void XmppToSip::OnAwaited(std::uint64_t number, bool known) {
  auto awaited = awaiting_.extract(number);
  if (awaited.empty()) return;
  Held& held = awaited.mapped();
  if (known) return Take(held.offer(), std::move(held.ticket));
  auto& inbound = arena_.Make<proto::InboundStanza>();
  GATEHOUSE_CHECK(inbound.ParseFromString(held.body));
  auto addresses = CheckInbound(inbound);
  GATEHOUSE_CHECK(addresses.has_value());
  const TrafficKind kind = KindOf(inbound.stanza(), addresses->to);
  Expire({held.offer(), inbound, inbound.stanza(), *std::move(addresses), std::move(held.ticket),
          kind});
}

// The engine said nothing in time: who can be told is told that later it may be otherwise.
void XmppToSip::Expire(Incoming incoming) {
  const bool told =
      incoming.kind == TrafficKind::kMessage || incoming.kind == TrafficKind::kIqToUser;
  if (!told) return Ignore(std::move(incoming), FlowResult::kExpired);
  ReplyWithError(
      HeadOf(incoming.stanza, std::move(incoming.addresses)), std::move(incoming.ticket),
      {.expired = true, .answer = ErrorForNoAnswer(), .reason = Reason::kPolicyUnavailable},
      FlowResult::kExpired);
}

// 5.2, "denied party gets".
void XmppToSip::Refuse(Incoming incoming, const Verdict& verdict) {
  SipResult result{.reason = verdict.reason};
  result.id =
      context_.NoteRefusal(incoming.kind, incoming.addresses.from, incoming.addresses.to, verdict);
  result.text = ToldText(verdict.reason, result.id);
  switch (verdict.answer) {
    case DenialAnswer::kForbidden:
      result.answer = {proto::FORBIDDEN, ErrorType::kAuth};
      break;
    case DenialAnswer::kServiceUnavailable:
      result.answer = {proto::SERVICE_UNAVAILABLE, ErrorType::kCancel};
      break;
    case DenialAnswer::kUnsubscribed:
      LogRefusal(incoming.addresses, "unsubscribed", result);
      return SayUnsubscribed(std::move(incoming), FlowResult::kRefused);
    case DenialAnswer::kNone:
    case DenialAnswer::kSipForbidden:
    case DenialAnswer::kSipNotFound:
      return Ignore(std::move(incoming), FlowResult::kRefused);
  }
  ReplyWithError(HeadOf(incoming.stanza, std::move(incoming.addresses)), std::move(incoming.ticket),
                 result, FlowResult::kRefused);
}

void XmppToSip::SayUnsubscribed(Incoming incoming, FlowResult counted) {
  stanzas_.Count(counted);
  replies_.Send(incoming.addresses, MakeUnsubscribed(incoming.stanza, incoming.addresses),
                std::move(incoming.ticket), ipc::Outcome::Delivered());
}

// Presence of SIP users does not reach partners yet, so a permitted subscription stays pending:
// neither is it refused, nor is something promised. Whoever ends one is told that it has ended
// (9.3).
void XmppToSip::OnPresence(Incoming incoming) {
  if (incoming.kind == TrafficKind::kUnsubscribe)
    return SayUnsubscribed(std::move(incoming), FlowResult::kAnswered);
  const bool taken = watchers_.take && watchers_.take(incoming.stanza, incoming.addresses);
  Ignore(std::move(incoming), taken ? FlowResult::kDelivered : FlowResult::kIgnored);
}

void XmppToSip::Ignore(Incoming incoming, FlowResult result) {
  stanzas_.Count(result);
  incoming.ticket.Settle(ipc::Outcome::Delivered());
}

void XmppToSip::OnIq(Incoming incoming) {
  if (incoming.kind == TrafficKind::kIqAnswer) return Ignore(std::move(incoming));
  stanzas_.Count(FlowResult::kAnswered);
  proto::Element answer = AnswerIq(incoming.stanza, incoming.addresses.to);
  if (Attribute(answer, "type") == "error") Explain(incoming, answer);
  replies_.Send(incoming.addresses, std::move(answer), std::move(incoming.ticket),
                ipc::Outcome::Delivered());
}

// Servers ask what is not served over and over: once a minute it is logged and remembered.
void XmppToSip::Explain(const Incoming& incoming, proto::Element& error) {
  const proto::Element& of = *FindChild(error, "error", ns::kServer);
  SipResult result{.answer = {.condition = ConditionFromName(FirstChild(of)->name())},
                   .text = "not served",
                   .log = "an iq",
                   .reason = Reason::kUnreadableContent};
  if (NoteStanza(context_, incoming.kind, incoming.addresses, result))
    LogRefusal(incoming.addresses, FirstChild(of)->name(), result);
  AddErrorText(error, result.text);
}

// Headlines come from partners that are part of the enterprise, as notes go to them; unasked for
// they are advertising. 8.9
bool XmppToSip::IsWanted(const Incoming& incoming, std::string_view type) const {
  if (type != "headline") return true;
  const proto::Partner* partner = context_.policy->FindPartner(incoming.addresses.from.domain);
  return partner != nullptr && context_.policy->PermissionsOf(partner->type()).sees_note;
}

void XmppToSip::OnMessage(Incoming incoming) {
  const std::string_view type = Attribute(incoming.stanza, "type");
  if (incoming.kind == TrafficKind::kError) {
    late_errors_.OnError(incoming.stanza, incoming.addresses);
    return Ignore(std::move(incoming));
  }
  auto content =
      IsWanted(incoming, type) ? ReadMessageStanza(incoming.stanza, context_.wall()) : std::nullopt;
  if (!content) return Ignore(std::move(incoming));
  Deliver(std::move(incoming), *content);
}

void XmppToSip::Deliver(Incoming incoming, const PageContent& content) {
  PairName pair(incoming.addresses.from, incoming.addresses.to);
  const std::uint64_t key = KeyOf(pair.from(), pair.to(), content.body);
  const std::string_view id = Attribute(incoming.stanza, "id");
  const std::uint64_t repeat_key = id.empty() ? 0 : RepeatKey(key, id);
  if (repeat_key != 0 && !seen_.Add(repeat_key))
    return Ignore(std::move(incoming), FlowResult::kRepeated);

  const auto refuse = [&](const StanzaAnswer& answer, Reason why) {
    seen_.Remove(repeat_key);
    ReplyWithError(HeadOf(incoming.stanza, std::move(incoming.addresses)),
                   std::move(incoming.ticket), {.answer = answer, .reason = why},
                   FlowResult::kRefused);
  };
  if (!flood_.Admit(key))
    return refuse({proto::POLICY_VIOLATION, ErrorType::kModify}, Reason::kTooManyIdentical);
  const auto uris = AddressRequest(context_, incoming.addresses, pair.to());
  if (!uris) return refuse(uris.error(), Reason::kNoAddress);
  const TransactionIds ids = IdsOfOffer(incoming.offer.sender_epoch, incoming.offer.seq);
  const ServedDomain& domain = *context_.served.Find(incoming.addresses.to.domain);
  queue_.Add(pair.TakeText(), {KeepForError(incoming.inbound, incoming.offer.body),
                               MakeRequest(*uris, content, ids, domain), std::move(incoming.ticket),
                               incoming.offer.expires, repeat_key});
}

void XmppToSip::OnDone(QueuedMessage& message, const SipResult& result) {
  if (!result.delivered) return OnFailed(message, result);
  stanzas_.Count(FlowResult::kDelivered);
  messages_.Count(FlowResult::kDelivered);
  message.ticket.Settle(ipc::Outcome::Delivered());
}

void XmppToSip::OnFailed(QueuedMessage& message, const SipResult& result) {
  if (message.repeat_key != 0)
    seen_.Remove(message.repeat_key);  // sending it again is no repetition
  auto& inbound = arena_.Make<proto::InboundStanza>();
  GATEHOUSE_CHECK(inbound.ParseFromString(message.stanza));
  auto addresses = CheckInbound(inbound);
  GATEHOUSE_CHECK(addresses.has_value());
  const StanzaHead head = HeadOf(inbound.stanza(), *std::move(addresses));
  if (result.status == 401 || result.status == 407)
    Log(LogLevel::kError, "next-hop-does-not-trust-us",
        {{"domain", head.addresses.to.domain}, {"status", result.status}});  // 11.10
  const FlowResult counted = result.expired ? FlowResult::kExpired : FlowResult::kFailed;
  messages_.Count(counted);
  ReplyWithError(head, std::move(message.ticket), result, counted);
}

void XmppToSip::LogRefusal(const StanzaAddresses& addresses, std::string_view told,
                           const SipResult& result) {
  const auto left_out = context_.log_sampler.Admit(addresses.from.domain);
  if (!left_out) return;
  Log(LogLevel::kInfo, "stanza-refused",
      {{"from", addresses.from.Bare()},
       {"to", addresses.to.Bare()},
       {"condition", told},
       {"status", result.status},
       {"reason", ReasonCode(result.reason)},
       {"why", result.log},
       {"id", result.id},
       {"left_out", *left_out}});
}

void XmppToSip::ReplyWithError(const StanzaHead& head, ipc::Ticket ticket, SipResult result,
                               FlowResult counted) {
  stanzas_.Count(counted);
  const auto condition = result.answer.condition;
  const TrafficKind kind =
      head.head.name() == "iq" ? TrafficKind::kIqToUser : TrafficKind::kMessage;
  if (result.id.empty()) NoteStanza(context_, kind, head.addresses, result);
  LogRefusal(head.addresses, ConditionName(condition), result);
  replies_.Send(head.addresses, MakeError(head, result.answer, result.text, result.address),
                std::move(ticket),
                ipc::Outcome::Failed(
                    static_cast<std::uint32_t>(condition),
                    result.log.empty() ? std::string(ReasonCode(result.reason)) : result.log));
}

}  // namespace gatehouse::translator
