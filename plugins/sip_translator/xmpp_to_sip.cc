#include "plugins/sip_translator/xmpp_to_sip.h"

#include <array>
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/iq_answers.h"
#include "plugins/sip_translator/pair_name.h"
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

XmppToSip::XmppToSip(FlowContext& context, OnMalformed malformed, OnPresence on_presence)
    : context_(context),
      malformed_(std::move(malformed)),
      on_presence_(std::move(on_presence)),
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
  queue_.AbandonAll();
  replies_.AbandonAll();
}

void XmppToSip::OnOffer(const ipc::Received& offer, ipc::Ticket ticket) {
  if (context_.policy && !draining_) return Take(offer, std::move(ticket));
  held_.push_back({std::string(offer.instance), std::string(offer.body), offer.sender_epoch,
                   offer.seq, offer.attempt, offer.expires, std::move(ticket)});
}

void XmppToSip::OnSnapshot() {
  if (draining_) return;
  for (Held& held : std::exchange(held_, {}))
    Take({held.instance, held.sender_epoch, held.seq, held.attempt, held.expires, held.body},
         std::move(held.ticket));
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
  const bool served = context_.served.Find(addresses->to.domain) != nullptr;
  const Verdict verdict =
      context_.DecideOn({.direction = Direction::kXmppToSip,
                         .local_domain = served ? addresses->to.domain : std::string_view(),
                         .remote_domain = addresses->from.domain,
                         .method = inbound.method()});
  Incoming incoming{offer, inbound, inbound.stanza(), *std::move(addresses), std::move(ticket)};
  if (verdict.decision != Decision::kAllow)
    return Refuse(std::move(incoming), RefusalName(verdict.reason));
  if (incoming.stanza.name() == "message") return OnMessage(std::move(incoming));
  if (incoming.stanza.name() == "iq") return OnIq(std::move(incoming));
  const bool watched = on_presence_ && on_presence_(incoming.stanza, incoming.addresses);
  if (watched) return Ignore(std::move(incoming), FlowResult::kDelivered);
  Ignore(std::move(incoming));
}

// 5.2, "denied party gets". Errors and results are never answered.
void XmppToSip::Refuse(Incoming incoming, std::string_view why) {
  const std::string_view type = Attribute(incoming.stanza, "type");
  const bool silent = type == "error" || type == "result" || incoming.stanza.name() == "presence";
  if (silent) return Ignore(std::move(incoming), FlowResult::kRefused);
  SipResult result{.answer = {proto::FORBIDDEN, ErrorType::kAuth}, .log = std::string(why)};
  if (incoming.stanza.name() == "iq")
    result.answer = {proto::SERVICE_UNAVAILABLE, ErrorType::kCancel};
  ReplyWithError(HeadOf(incoming.stanza, std::move(incoming.addresses)), std::move(incoming.ticket),
                 result, FlowResult::kRefused);
}

void XmppToSip::Ignore(Incoming incoming, FlowResult result) {
  stanzas_.Count(result);
  incoming.ticket.Settle(ipc::Outcome::Delivered());
}

void XmppToSip::OnIq(Incoming incoming) {
  const std::string_view type = Attribute(incoming.stanza, "type");
  if (type != "get" && type != "set") return Ignore(std::move(incoming));
  stanzas_.Count(FlowResult::kAnswered);
  const bool to_domain = incoming.addresses.to.local.empty();
  replies_.Send(incoming.addresses, AnswerIq(incoming.stanza, to_domain),
                std::move(incoming.ticket), ipc::Outcome::Delivered());
}

// Headlines are for partners that are part of the enterprise; unasked for they are advertising. 8.9
bool XmppToSip::IsWanted(const Incoming& incoming, std::string_view type) const {
  if (type != "headline") return true;
  const proto::Partner* partner = context_.policy->FindPartner(incoming.addresses.from.domain);
  return partner != nullptr && partner->type() == proto::FEDERATED;
}

void XmppToSip::OnMessage(Incoming incoming) {
  const std::string_view type = Attribute(incoming.stanza, "type");
  if (type == "error") {
    late_errors_.OnError(incoming.stanza, incoming.addresses);
    return Ignore(std::move(incoming));
  }
  if (type == "groupchat" || incoming.addresses.to.local.empty()) {
    const SipResult result{.answer = {proto::SERVICE_UNAVAILABLE, ErrorType::kCancel},
                           .log = "not a user's message"};
    return ReplyWithError(HeadOf(incoming.stanza, std::move(incoming.addresses)),
                          std::move(incoming.ticket), result, FlowResult::kRefused);
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

  const auto refuse = [&](const StanzaAnswer& answer, std::string_view why) {
    seen_.Remove(repeat_key);
    ReplyWithError(HeadOf(incoming.stanza, std::move(incoming.addresses)),
                   std::move(incoming.ticket), {.answer = answer, .log = std::string(why)},
                   FlowResult::kRefused);
  };
  if (!flood_.Admit(key))
    return refuse({proto::POLICY_VIOLATION, ErrorType::kModify}, "too many identical messages");
  const auto uris = AddressRequest(context_, incoming.addresses, pair.to());
  if (!uris) return refuse(uris.error(), "no SIP address");
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
  StanzaHead head = HeadOf(inbound.stanza(), *std::move(addresses));
  if (result.status == 401 || result.status == 407)
    Log(LogLevel::kError, "next-hop-does-not-trust-us",
        {{"domain", head.addresses.to.domain}, {"status", result.status}});  // 11.10
  const FlowResult counted = result.expired ? FlowResult::kExpired : FlowResult::kFailed;
  messages_.Count(counted);
  ReplyWithError(std::move(head), std::move(message.ticket), result, counted);
}

void XmppToSip::ReplyWithError(const StanzaHead& head, ipc::Ticket ticket, const SipResult& result,
                               FlowResult counted) {
  stanzas_.Count(counted);
  const auto condition = result.answer.condition;
  if (const auto left_out = context_.log_sampler.Admit(head.addresses.from.domain))
    Log(LogLevel::kInfo, "stanza-refused",
        {{"from", head.addresses.from.Bare()},
         {"to", head.addresses.to.Bare()},
         {"condition", ConditionName(condition)},
         {"status", result.status},
         {"why", result.log},
         {"left_out", *left_out}});
  replies_.Send(head.addresses, MakeError(head, result.answer, result.text, result.address),
                std::move(ticket),
                ipc::Outcome::Failed(static_cast<std::uint32_t>(condition), result.log));
}

}  // namespace gatehouse::translator
