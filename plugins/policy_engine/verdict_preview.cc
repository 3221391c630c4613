#include "plugins/policy_engine/verdict_preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/address/sip_address.h"
#include "core/address/sip_user.h"
#include "core/policy/access.h"
#include "core/policy/negotiation.h"
#include "core/policy/partner_words.h"
#include "core/xmpp/jid.h"

namespace gatehouse::policy_engine {
namespace {

Result<Jid> ReadAddress(const std::string& text) {
  if (IsSipUri(text)) {
    auto mapped = SipUriToJid(text);
    if (mapped) return *std::move(mapped);
    return BadConfig(
        fmt::format("'{}' is no SIP URI that can be mapped ({})", text, mapped.error().why));
  }
  auto jid = Jid::Parse(text);
  if (!jid)
    return BadConfig(fmt::format("'{}' is no address ({}); write user@domain or sip:user@domain",
                                 text, jid.error().text));
  // As its traffic is: each of the two has to be an address on both sides.
  if (!JidToSipUri(*jid, ResourceUse::kDrop))
    return BadConfig(
        fmt::format("'{}' is no address that SIP has too (its localpart begins or ends with an "
                    "escaped space); write user@domain or sip:user@domain",
                    text));
  return jid;
}

// The word of one direction; without a user addressed, of the domain.
std::optional<TrafficKind> FindKind(Direction direction, const std::string& word) {
  for (const TrafficKindWord& row : KindWords())
    if (DirectionOf(row.kind) == direction && row.word == word) return row.kind;
  return std::nullopt;
}

Result<TrafficKind> ReadKind(Direction direction, const std::string& word, bool to_user) {
  const auto kind = FindKind(direction, word);
  if (!kind) {
    std::string words;
    for (const TrafficKindWord& row : KindWords())
      if (DirectionOf(row.kind) == direction)
        words.append(words.empty() ? "" : ", ").append(row.word);
    return BadConfig(fmt::format(
        "'{}' is no kind of traffic {}; use one of {}", word,
        direction == Direction::kXmppToSip ? "from a partner to us" : "from us to a partner",
        words));
  }
  if (direction == Direction::kSipToXmpp || to_user) return *kind;
  if (*kind == TrafficKind::kIqToUser) return TrafficKind::kIqToDomain;
  if (*kind <= TrafficKind::kProbe) return TrafficKind::kPresenceToDomain;
  const bool message = *kind == TrafficKind::kMessage || *kind == TrafficKind::kChatState ||
                       *kind == TrafficKind::kGroupchat;
  return message ? TrafficKind::kMessageToDomain : *kind;
}

proto::AuthMethod BestMethod(const proto::Partner* partner) {
  if (partner == nullptr) return proto::AUTH_METHOD_NONE;
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  for (const auto method : {proto::SASL_TLS, proto::TLS_DIALBACK, proto::TCP_DIALBACK})
    if (methods.Has(method)) return method;
  return proto::AUTH_METHOD_NONE;
}

// Who is whose.
struct Ends {
  Direction direction;
  Jid user;
  Jid contact;
};

Result<Ends> ReadEnds(std::span<const std::string> served, const proto::PolicyTest& test) {
  GATEHOUSE_TRY(Jid from, ReadAddress(test.from()));
  GATEHOUSE_TRY(Jid to, ReadAddress(test.to()));
  const auto is_ours = [served](const Jid& jid) {
    return std::ranges::find(served, jid.domain) != served.end();
  };
  if (is_ours(from) == is_ours(to))
    return BadConfig(fmt::format(
        "'{}' and '{}' are both {}; one address must be of a domain in gatehouse.yaml, the other "
        "of a partner",
        test.from(), test.to(), is_ours(from) ? "ours" : "not ours"));
  if (is_ours(to)) return Ends{Direction::kXmppToSip, std::move(to), std::move(from)};
  if (from.local.empty())
    return BadConfig(fmt::format("'{}' names no user; write user@domain", test.from()));
  return Ends{Direction::kSipToXmpp, std::move(from), std::move(to)};
}

void Explain(const Verdict& verdict, proto::PolicyVerdict& shown) {
  shown.set_decision(std::string(DecisionName(verdict.decision)));
  shown.set_rule(std::string(verdict.rule));
  shown.set_answer(std::string(AnswerName(verdict.answer)));
  if (verdict.reason == Reason::kNone) return;
  const ReasonEntry& entry = EntryOf(verdict.reason);
  shown.set_reason(std::string(entry.code));
  shown.set_sentence(std::string(entry.sentence));
  shown.set_remedy(std::string(entry.remedy));
}

}  // namespace

Result<proto::PolicyVerdict> PreviewVerdict(const PolicyView& policy,
                                            std::span<const std::string> served,
                                            const proto::PolicyTest& test,
                                            const StateOfContact& state_of) {
  GATEHOUSE_TRY(const Ends ends, ReadEnds(served, test));
  GATEHOUSE_TRY(const TrafficKind kind,
                ReadKind(ends.direction, test.kind(), !ends.user.local.empty()));
  const proto::Partner* partner = policy.FindPartner(ends.contact.domain);
  Envelope envelope{.kind = kind,
                    .local_domain = ends.user.domain,
                    .remote_domain = ends.contact.domain,
                    .method = BestMethod(partner),
                    .awaited = true,
                    .local_part = ends.user.local};
  Verdict verdict = Decide(policy, envelope);
  if (verdict.decision == Decision::kAskEngine) {
    GATEHOUSE_TRY(envelope.contact, state_of(ends.user.Bare(), ends.contact.Bare()));
    verdict = Decide(policy, envelope);
  }
  proto::PolicyVerdict shown;
  shown.set_sip_user(ends.user.Bare());
  shown.set_contact(ends.contact.Bare());
  shown.set_direction(std::string(DirectionName(ends.direction)));
  shown.set_kind(std::string(KindName(kind)));
  if (partner != nullptr) shown.set_partner_type(partner->type());
  shown.set_contact_state(std::string(ContactStateName(envelope.contact)));
  Explain(verdict, shown);
  const AccessVerdict access =
      MayUseXmpp(policy, {ends.user.local, ends.user.domain}, ends.direction);
  if (verdict.reason == Reason::kNoXmppAccess && !access.policy.empty())
    shown.mutable_sentence()->append(fmt::format(", by the access policy '{}'", access.policy));
  if (verdict.reason == Reason::kNone && !access.policy.empty())
    shown.set_sentence(fmt::format("XMPP is his by the access policy '{}'", access.policy));
  return shown;
}

}  // namespace gatehouse::policy_engine
