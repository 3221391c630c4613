#include "plugins/sip_translator/sip_to_xmpp.h"

#include <algorithm>
#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"

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

std::unexpected<HandOverAnswer> Refuse(int status, std::string_view why) {
  return std::unexpected(RefusedWith({status, why}));
}

FlowResult ResultOf(const HandOverAnswer& answer, bool offered) {
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
  auto addresses = Address(message.from().uri, message.request_uri());
  if (!addresses) {
    messages_.Count(FlowResult::kRefused);
    LogRefusal(message.from().uri, message.request_uri(), addresses.error());
    return reply(addresses.error().status, {}, addresses.error().headers);
  }
  context_.spellings.Learn(addresses->from, message.from().uri);
  Translate(RequestOf(message), {reply, {}, *std::move(addresses)});
}

void SipToXmpp::Tell(const Asker& asker, const HandOverAnswer& answer) {
  if (asker.tested) return asker.tested(answer);
  if (answer.status != 200)
    LogRefusal(asker.addresses.from.Bare(), asker.addresses.to.Bare(), answer);
  (*asker.reply)(answer.status, {}, answer.headers);
}

void SipToXmpp::LogRefusal(std::string_view from, std::string_view to,
                           const HandOverAnswer& answer) {
  const auto left_out = context_.log_sampler.Admit("sip");
  if (!left_out) return;
  Log(LogLevel::kInfo, "message-refused",
      {{"from", from},
       {"to", to},
       {"status", answer.status},
       {"why", answer.why},
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
  if (!to) return std::unexpected(RefusedWith(to.error()));
  auto from = SipUriToJid(from_uri);
  if (!from) return std::unexpected(RefusedWith(from.error()));
  if (from->local.empty() || context_.served.Find(from->domain) == nullptr)
    return Refuse(403, "From is no user of ours");
  const Verdict verdict = context_.DecideOn({.direction = Direction::kSipToXmpp,
                                             .local_domain = from->domain,
                                             .remote_domain = to->domain});
  if (verdict.decision == Decision::kAllow) return PageAddresses{*std::move(from), *std::move(to)};
  return Refuse(verdict.reason == RefusalReason::kUnknownPartner ? 404 : 403,
                RefusalName(verdict.reason));
}

Result<void, HandOverAnswer> SipToXmpp::Admit(const PageAddresses& addresses, const PairName& pair,
                                              std::string_view share_key, std::string_view body) {
  if (!flood_.Admit(KeyOf(pair.from(), pair.to(), body)))
    return Refuse(403, "too many identical messages");  // 11.7
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

void SipToXmpp::Translate(const PageRequest& request, Asker asker) {
  const auto refuse = [&](const HandOverAnswer& answer) {
    messages_.Count(ResultOf(answer, false));
    Tell(asker, answer);
  };
  const PageAddresses& addresses = asker.addresses;
  const std::string id = Base64Url(RandomBytes(kStanzaIdOctets));
  auto& out = arena_.Make<proto::OutboundStanza>();
  const auto made =
      MakeMessageStanza(request, addresses, id, context_.wall(), *out.mutable_stanza());
  if (!made) return refuse(RefusedWith(made.error()));
  if (!*made) return refuse(Accepted());
  const std::string share_key = ListenerLinks::ShareKey(addresses.from.domain, addresses.to.domain);
  const PairName pair(addresses.from, addresses.to);
  if (const auto admitted = Admit(addresses, pair, share_key, request.entity.body); !admitted)
    return refuse(admitted.error());
  Deadline expires = context_.clock.Now() + kHandOverLimit;
  if (request.expires_s)
    expires = std::min(expires, context_.clock.Now() + seconds(*request.expires_s));
  context_.sent.Add(id, pair.from(), pair.to());
  out.set_local_domain(addresses.from.domain);
  out.set_remote_domain(addresses.to.domain);
  out.set_snapshot_hash(context_.policy->hash());
  Offer(out, share_key, expires, std::move(asker));
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
  messages_.Count(ResultOf(answer, true));
  stanzas_.Count(ResultOf(answer, true));
  Tell(asker, answer);
}

}  // namespace gatehouse::translator
