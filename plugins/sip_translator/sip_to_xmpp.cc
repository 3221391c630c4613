#include "plugins/sip_translator/sip_to_xmpp.h"

#include <algorithm>
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/refusal_note.h"
#include "plugins/sip_translator/request_checks.h"
#include "plugins/sip_translator/sip_body.h"

namespace gatehouse::translator {
namespace {

constexpr std::size_t kStanzaIdOctets = 16;  // 22 characters of base64url (8.9)

PageRequest RequestOf(const SipMessage& message) {
  return {.call_id = message.call_id(),
          .subject = message.subject(),
          .content_language = message.content_language(),
          .date = message.date(),
          .expires_s = message.expires(),
          .content_encoding = message.Header("Content-Encoding").value_or(""),
          .entity = {message.Header("Content-Type").value_or(""),
                     message.Header("Content-Transfer-Encoding").value_or(""), message.body()}};
}

std::unexpected<HandOverAnswer> Refused(int status, std::string_view why) {
  return std::unexpected(RefusedWith({status, why}));
}

// To an INVITE: whoever sends one is told what to send in its place.
HandOverAnswer NoSessions() {
  return {.status = 405,
          .why = "sessions are not served",
          .headers = {{"Allow", std::string(kServedMethods)}},
          .reason = Reason::kUnreadableContent};
}

FlowResult FlowResultOf(const HandOverAnswer& answer, bool offered) {
  if (answer.status / 100 == 2) return offered ? FlowResult::kDelivered : FlowResult::kIgnored;
  if (!offered) return FlowResult::kRefused;
  return answer.status == 408 ? FlowResult::kExpired : FlowResult::kFailed;
}

}  // namespace

SipToXmpp::SipToXmpp(FlowContext& context)
    : context_(context),
      messages_(context.metrics, "gatehouse_sip_messages_total", "in"),
      stanzas_(context.metrics, "gatehouse_stanzas_total", "out"),
      flood_(context.clock),
      waiting_(context.clock) {}

void SipToXmpp::OnRequest(const SipMessage& message, const SipReply& reply) {
  Result<PageAddresses, HandOverAnswer> addresses =
      message.method() == "MESSAGE" ? Address(message.from().uri, message.request_uri())
                                    : std::unexpected(NoSessions());
  if (!addresses) {
    messages_.Count(FlowResult::kRefused);
    HandOverAnswer& answer = addresses.error();
    NoteUnserved(context_, RefusedRequest::Of(message), answer);
    LogRefusal(message.from().uri, message.request_uri(), answer);
    return reply(answer.status, answer.reason, answer.headers);
  }
  context_.spellings.Learn(addresses->from, message.from().uri);
  Translate(RequestOf(message), {reply, {}, *std::move(addresses)});
}

void SipToXmpp::Tell(const Asker& asker, const HandOverAnswer& answer) {
  if (asker.tested) return asker.tested(answer);
  if (answer.status == 200) return (*asker.reply)(200, Reason::kNone, answer.headers);
  HandOverAnswer noted = answer;
  NoteAnswer(context_, TrafficKind::kSipMessage, asker.addresses, noted);
  LogRefusal(asker.addresses.from.Bare(), asker.addresses.to.Bare(), noted);
  (*asker.reply)(noted.status, noted.reason, noted.headers);
}

void SipToXmpp::LogRefusal(std::string_view from, std::string_view to,
                           const HandOverAnswer& answer) {
  const auto left_out = context_.log_sampler.Admit("sip");
  if (!left_out) return;
  Log(LogLevel::kInfo, "message-refused",
      {{"from", from},
       {"to", to},
       {"status", answer.status},
       {"reason", ReasonCode(answer.reason)},
       {"why", answer.why},
       {"id", answer.id},
       {"left_out", *left_out}});
}

void SipToXmpp::Test(std::string_view from_uri, std::string_view to_uri, OnTested done) {
  auto addresses = Address(from_uri, to_uri);
  if (!addresses) return done(addresses.error());
  const std::string call_id = RandomHex(kStanzaIdOctets);
  const PageRequest request{.call_id = call_id,
                            .entity = {"text/plain", "", "Test message from Gatehouse."}};
  Translate(request, {std::nullopt, std::move(done), *std::move(addresses)});
}

void SipToXmpp::Drain() {
  draining_ = true;
  context_.endpoint.PauseRequests();
}

// 6.3 for both ends, and 11.8 "per request".
Result<PageAddresses, HandOverAnswer> SipToXmpp::Address(std::string_view from_uri,
                                                         std::string_view to_uri) {
  auto to = SipUriToJid(to_uri);
  if (!to) return std::unexpected(NoCounterpart(to.error()));
  auto from = SipUriToJid(from_uri);
  if (!from) return std::unexpected(NoCounterpart(from.error()));
  if (from->local.empty() || context_.served.Find(from->domain) == nullptr)
    return Refused(403, "From is no user of ours");
  return PageAddresses{*std::move(from), *std::move(to)};
}

Verdict SipToXmpp::Judge(TrafficKind kind, const PageAddresses& addresses) {
  return context_.DecideOn({.kind = kind,
                            .local_domain = addresses.from.domain,
                            .remote_domain = addresses.to.domain,
                            .local_part = addresses.from.local},
                           addresses.from, addresses.to);
}

Result<void, HandOverAnswer> SipToXmpp::Admit(const PageAddresses& addresses, const PairName& pair,
                                              std::string_view share_key, std::string_view body) {
  if (!flood_.Admit(KeyOf(pair.from(), pair.to(), body)))
    return std::unexpected(HandOverAnswer{.status = 403,
                                          .why = "too many identical messages",
                                          .reason = Reason::kTooManyIdentical});  // 11.7
  return FindRoom(addresses, share_key);
}

// A full window stops the reading of SIP; a pair that has used up its share waits aside, so that it
// does not stop the others.
Result<void, HandOverAnswer> SipToXmpp::FindRoom(const PageAddresses& addresses,
                                                 std::string_view share_key) {
  if (!waiting_.HasRoom(share_key))
    return std::unexpected(Overloaded("too many messages of the pair wait"));
  ipc::DataLink& link = context_.listeners.OwnerOf(addresses.from.domain, addresses.to.domain);
  if (!link.HasRoom({})) PauseUntilRoom(link);
  return {};
}

void SipToXmpp::PauseUntilRoom(ipc::DataLink& link) {
  if (!full_.insert(&link).second) return;
  context_.endpoint.PauseRequests();
  link.WhenRoom({}, [this, room = &link] {
    full_.erase(room);
    if (full_.empty() && !draining_) context_.endpoint.ResumeRequests();
  });
}

HandOverAnswer SipToXmpp::Denied(TrafficKind kind, const PageAddresses& addresses,
                                 const Verdict& verdict) {
  return DeniedBy(verdict, addresses.from.domain,
                  context_.NoteRefusal(kind, addresses.from, addresses.to, verdict));
}

void SipToXmpp::Refuse(const Asker& asker, const HandOverAnswer& answer) {
  messages_.Count(FlowResultOf(answer, false));
  Tell(asker, answer);
}

void SipToXmpp::Translate(const PageRequest& request, Asker asker) {
  const PageAddresses& addresses = asker.addresses;
  const bool signal = IsSignal(request.entity);
  const TrafficKind kind = signal ? TrafficKind::kSipSignal : TrafficKind::kSipMessage;
  const Verdict verdict = Judge(kind, addresses);
  if (verdict.decision == Decision::kDeny) return Refuse(asker, Denied(kind, addresses, verdict));
  if (verdict.decision == Decision::kDrop)
    context_.NoteRefusal(kind, addresses.from, addresses.to, verdict);
  // Nothing is made of a signal yet, whoever may send it.
  if (signal) return Refuse(asker, Accepted());
  const std::string id = Base64Url(RandomBytes(kStanzaIdOctets));
  auto& out = arena_.Make<proto::OutboundStanza>();
  const auto made =
      MakeMessageStanza(request, addresses, id, context_.wall(), *out.mutable_stanza());
  if (!made) return Refuse(asker, RefusedWith(made.error()));
  if (!*made) return Refuse(asker, Accepted());
  Deadline expires = context_.clock.Now() + kHandOverLimit;
  if (request.expires_s)
    expires = std::min(expires, context_.clock.Now() + seconds(*request.expires_s));
  if (verdict.decision == Decision::kAskEngine)
    return Await({out, std::string(request.entity.body), expires, std::move(asker)});
  Pass(out, request.entity.body, expires, std::move(asker));
}

void SipToXmpp::Await(Made made) {
  if (awaiting_.size() >= kMaxAwaiting)
    return Refuse(made.asker, Overloaded("too many messages wait for policy_engine"));
  const PageAddresses& addresses = made.asker.addresses;
  const ContactPair pair{addresses.from.Bare(), addresses.to.Bare()};
  const Deadline expires = made.expires;
  const std::uint64_t number = ++last_awaiting_;
  awaiting_.emplace(number, std::move(made));
  context_.contacts.Await(pair, expires, [this, number](bool known) { OnAwaited(number, known); });
}

void SipToXmpp::OnAwaited(std::uint64_t number, bool known) {
  auto awaited = awaiting_.extract(number);
  if (awaited.empty()) return;
  Made& made = awaited.mapped();
  if (!known) return Refuse(made.asker, PolicyUnavailable());
  const Verdict verdict = Judge(TrafficKind::kSipMessage, made.asker.addresses);
  if (verdict.decision == Decision::kAskEngine) return Await(std::move(made));
  if (!verdict.allowed())
    return Refuse(made.asker, Denied(TrafficKind::kSipMessage, made.asker.addresses, verdict));
  Pass(made.stanza, made.text, made.expires, std::move(made.asker));
}

// Policy lets it: on to the partner, as far as there is room.
void SipToXmpp::Pass(proto::OutboundStanza& stanza, std::string_view text, Deadline expires,
                     Asker asker) {
  const PageAddresses& addresses = asker.addresses;
  const std::string share_key = ListenerLinks::ShareKey(addresses.from.domain, addresses.to.domain);
  const PairName pair(addresses.from, addresses.to);
  if (const auto admitted = Admit(addresses, pair, share_key, text); !admitted)
    return Refuse(asker, admitted.error());
  context_.sent.Add(Attribute(stanza.stanza(), "id"), pair.from(), pair.to());
  stanza.set_local_domain(addresses.from.domain);
  stanza.set_remote_domain(addresses.to.domain);
  stanza.set_snapshot_hash(context_.policy->hash());
  Offer(stanza, share_key, expires, std::move(asker));
}

void SipToXmpp::Offer(const proto::OutboundStanza& stanza, const std::string& share_key,
                      Deadline expires, Asker asker) {
  const std::uint64_t number = ++last_asker_;
  askers_.emplace(number, std::move(asker));
  waiting_.Offer(context_.listeners.OwnerOf(stanza.local_domain(), stanza.remote_domain()),
                 share_key, stanza.SerializeAsString(), expires,
                 [this, number](const ipc::Outcome& outcome) { OnSettled(number, outcome); });
}

void SipToXmpp::OnSettled(std::uint64_t number, const ipc::Outcome& outcome) {
  const auto settled = askers_.extract(number);
  if (settled.empty()) return;
  const Asker& asker = settled.mapped();
  const HandOverAnswer answer = AnswerFor(outcome, !asker.addresses.to.resource.empty(),
                                          context_.profile, asker.addresses.from.domain);
  messages_.Count(FlowResultOf(answer, true));
  stanzas_.Count(FlowResultOf(answer, true));
  Tell(asker, answer);
}

}  // namespace gatehouse::translator
