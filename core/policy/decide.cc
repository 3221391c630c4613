#include "core/policy/decide.h"

#include <array>
#include <optional>

#include "core/policy/access.h"
#include "core/policy/negotiation.h"
#include "core/policy/partner_type.h"

namespace gatehouse {
namespace {

using enum TrafficKind;
using Answer = DenialAnswer;

// When it may pass. The columns of 5.2 differ by a permission of the partner's type only.
enum class When : std::uint8_t {
  kNever,
  kAlways,
  kAwaited,              // Envelope::awaited
  kMaySubscribe,         // the type may_subscribe
  kMaySubscribeAwaited,  // both
  kMayMessage,           // the type may_message_unlisted
  kMayMessageOut,        // or the gateway lets our users write to unlisted contacts (5.5)
};

using enum When;

struct Row {
  TrafficKind kind;
  std::string_view rule;
  When authorised;      // Y
  When not_authorised;  // n
  When blocked;
  Answer answer;                     // where it may not
  Reason otherwise = Reason::kNone;  // why not, where the contact's state is not to blame
};

// clang-format off
constexpr std::array kRows = {
    //  kind               rule                    Y         n                     blocked  answer
    Row{kSubscribe,        "xmpp-subscribe",       kAlways,  kMaySubscribe,        kNever,  Answer::kUnsubscribed},
    Row{kUnsubscribe,      "xmpp-unsubscribe",     kAlways,  kAlways,              kAlways, Answer::kNone},
    Row{kSubscribed,       "xmpp-subscribed",      kAwaited, kMaySubscribeAwaited, kNever,  Answer::kNone,
        Reason::kNotAwaited},
    Row{kUnsubscribed,     "xmpp-unsubscribed",    kAlways,  kAlways,              kAlways, Answer::kNone},
    Row{kPresence,         "xmpp-presence",        kAwaited, kNever,               kNever,  Answer::kNone,
        Reason::kNotAwaited},
    Row{kProbe,            "xmpp-probe",           kAlways,  kMaySubscribeAwaited, kNever,  Answer::kUnsubscribed,
        Reason::kNotSubscribed},
    Row{kPresenceToDomain, "xmpp-domain-presence", kNever,   kNever,               kNever,  Answer::kNone,
        Reason::kNoUserAddressed},
    Row{kMessage,          "xmpp-message",         kAlways,  kMayMessage,          kNever,  Answer::kForbidden},
    Row{kChatState,        "xmpp-typing",          kAlways,  kMayMessage,          kNever,  Answer::kNone},
    Row{kGroupchat,        "xmpp-groupchat",       kNever,   kNever,               kNever,  Answer::kServiceUnavailable,
        Reason::kGroupChat},
    Row{kMessageToDomain,  "xmpp-domain-message",  kNever,   kNever,               kNever,  Answer::kServiceUnavailable,
        Reason::kNoUserAddressed},
    Row{kError,            "xmpp-error",           kAlways,  kAlways,              kAlways, Answer::kNone},
    Row{kIqToUser,         "xmpp-iq",              kAlways,  kMayMessage,          kNever,  Answer::kServiceUnavailable},
    Row{kIqToDomain,       "xmpp-domain-iq",       kAlways,  kAlways,              kAlways, Answer::kServiceUnavailable},
    Row{kIqAnswer,         "xmpp-iq-answer",       kAlways,  kAlways,              kAlways, Answer::kNone},
    Row{kSipSubscribe,     "sip-subscribe",        kAlways,  kAlways,              kNever,  Answer::kSipForbidden},
    Row{kSipPresence,      "sip-presence",         kAwaited, kMaySubscribeAwaited, kNever,  Answer::kNone,
        Reason::kNotSubscribed},
    Row{kSipMessage,       "sip-message",          kAlways,  kMayMessageOut,       kNever,  Answer::kSipForbidden},
    Row{kSipSignal,        "sip-typing",           kAlways,  kMayMessage,          kNever,  Answer::kNone},
    Row{kSipOptions,       "sip-options",          kAlways,  kAlways,              kAlways, Answer::kNone},
};
// clang-format on

consteval bool IsInOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows.at(i).kind != static_cast<TrafficKind>(i)) return false;
  return kRows.size() == static_cast<std::size_t>(kSipOptions) + 1;
}
static_assert(IsInOrder(), "a row is found by the number of its kind");

constexpr Verdict Refuse(Answer answer, Reason reason, std::string_view rule) {
  const Decision decision = answer == Answer::kNone ? Decision::kDrop : Decision::kDeny;
  return {.decision = decision, .answer = answer, .reason = reason, .rule = rule};
}

struct Question {
  const PolicyView& policy;
  const Envelope& envelope;
  const Row& row;
  Permissions permissions;

  [[nodiscard]] bool May(When when) const {
    switch (when) {
      case kNever:
        return false;
      case kAlways:
        return true;
      case kAwaited:
        return envelope.awaited;
      case kMaySubscribe:
        return permissions.may_subscribe;
      case kMaySubscribeAwaited:
        return permissions.may_subscribe && envelope.awaited;
      case kMayMessage:
        return permissions.may_message_unlisted;
      case kMayMessageOut:
        return permissions.may_message_unlisted || policy.gateway().unverified_outbound_im();
    }
    return false;
  }
  // May a contact in this state? kNotAsked: nullopt where the answer depends on the state.
  [[nodiscard]] std::optional<bool> May(ContactState state) const {
    switch (state) {
      case ContactState::kAuthorised:
        return May(row.authorised);
      case ContactState::kNotAuthorised:
        return May(row.not_authorised);
      case ContactState::kBlocked:
        return May(row.blocked);
      case ContactState::kNotAsked:
        break;
    }
    const bool may = May(row.authorised);
    if (may != May(row.not_authorised)) return std::nullopt;
    // Blocks are rare: only where the snapshot says that there is one does everybody wait for it.
    if (may != May(row.blocked) && policy.HasBlockedContact(envelope.remote_domain))
      return std::nullopt;
    return may;
  }
  [[nodiscard]] Reason WhyNot() const {
    if (envelope.contact == ContactState::kBlocked) return Reason::kContactBlocked;
    Envelope awaited = envelope;
    awaited.awaited = true;
    const bool only_awaited =
        Question{policy, awaited, row, permissions}.May(envelope.contact) == true;
    if (only_awaited || !May(row.authorised)) return row.otherwise;
    return Reason::kContactNotAuthorised;
  }
  [[nodiscard]] Verdict Allowed() const {
    Verdict verdict{.decision = Decision::kAllow,
                    .rule = row.rule,
                    .rich_activity = permissions.sees_rich_activity};
    if (row.kind == kSubscribe && permissions.auto_approve)
      verdict.decision = Decision::kAllowAutoApprove;
    if (row.kind == kSipPresence && !permissions.sees_note)
      verdict.decision = Decision::kAllowStripNote;
    return verdict;
  }
};

// What one who may gets from sip_translator, by itself, to a kind that goes no further.
Answer AnswerOfAllowed(TrafficKind kind) {
  return kind == kUnsubscribe ? Answer::kUnsubscribed : Answer::kNone;
}

// Who has no XMPP access is answered for as one who is not there, in either direction (5.2); to a
// partner as one who has not added the contact (5.3).
std::optional<Verdict> RefuseUser(const PolicyView& policy, const Row& row,
                                  const Envelope& envelope) {
  if (envelope.local_domain.empty()) return std::nullopt;
  const Direction direction = DirectionOf(row.kind);
  const AccessVerdict access =
      MayUseXmpp(policy, {envelope.local_part, envelope.local_domain}, direction);
  if (access.may) return std::nullopt;
  const bool told = direction == Direction::kSipToXmpp && row.kind != kSipPresence;
  if (told) return Refuse(Answer::kSipForbidden, access.reason, access.rule);
  const bool as_allowed = row.answer == Answer::kNone && access.reason == Reason::kNoXmppAccess;
  return Refuse(as_allowed ? AnswerOfAllowed(row.kind) : row.answer, access.reason, access.rule);
}

// What holds before any contact is looked at: the partner, and how its domain was proven.
std::optional<Verdict> RefusePair(const Row& row, const Envelope& envelope,
                                  const PolicyView& policy, const proto::Partner* partner) {
  const bool outwards = DirectionOf(row.kind) == Direction::kSipToXmpp;
  // What our user sends to nobody's domain is told so, even where a contact's state is hushed up.
  const bool told = outwards && row.kind != kSipPresence;
  const Answer answer = told ? Answer::kSipForbidden : row.answer;
  if (envelope.local_domain.empty()) return Refuse(answer, Reason::kNotOurDomain, "local-domain");
  if (partner == nullptr) {
    const Reason why = policy.WhyNoPartner(envelope.remote_domain);
    if (why == Reason::kFederationOff) return Refuse(answer, why, "federation");
    return Refuse(told ? Answer::kSipNotFound : answer, why, "partner-listed");
  }
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  // Outwards no method is chosen yet: that the row leaves one at all is what can be known here.
  const bool permitted = outwards ? !methods.empty() : methods.Has(envelope.method);
  if (!permitted) return Refuse(answer, Reason::kMethodNotPermitted, "partner-method");
  return std::nullopt;
}

}  // namespace

Verdict Decide(const PolicyView& policy, const Envelope& envelope) {
  const auto number = static_cast<std::size_t>(envelope.kind);
  if (number >= kRows.size()) return Refuse(Answer::kNone, Reason::kNotAwaited, "kind");
  const Row& row = kRows.at(number);
  if (row.kind == kSipOptions) return {.decision = Decision::kAllow, .rule = row.rule};
  // Of our own user a partner must not learn by a quicker answer that he has no access (5.3).
  const Direction direction = DirectionOf(row.kind);
  const bool first = direction == Direction::kSipToXmpp || !FederationGoes(policy, direction);
  if (first)
    if (const auto refused = RefuseUser(policy, row, envelope)) return *refused;
  const proto::Partner* partner = policy.FindPartner(envelope.remote_domain);
  if (const auto refused = RefusePair(row, envelope, policy, partner)) return *refused;
  const Question question{policy, envelope, row, policy.PermissionsOf(partner->type())};
  const std::optional<bool> may = question.May(envelope.contact);
  if (!may) return {.decision = Decision::kAskEngine, .rule = row.rule};
  // What nobody may is refused in the same words to all.
  if (!first && row.authorised != kNever)
    if (const auto refused = RefuseUser(policy, row, envelope)) return *refused;
  return *may ? question.Allowed() : Refuse(row.answer, question.WhyNot(), row.rule);
}

std::string_view AnswerName(DenialAnswer answer) {
  constexpr std::array<std::string_view, 6> kNames = {
      "", "unsubscribed", "forbidden", "service-unavailable", "403", "404"};
  const auto number = static_cast<std::size_t>(answer);
  return number < kNames.size() ? kNames.at(number) : std::string_view();
}

std::string_view DecisionName(Decision decision) {
  constexpr std::array<std::string_view, 6> kNames = {
      "allow", "allow-auto-approve", "allow-strip-note", "deny", "drop", "ask-engine"};
  const auto number = static_cast<std::size_t>(decision);
  return number < kNames.size() ? kNames.at(number) : std::string_view();
}

std::string_view ContactStateName(ContactState state) {
  constexpr std::array<std::string_view, 4> kNames = {"not-asked", "not-authorised", "authorised",
                                                      "blocked"};
  const auto number = static_cast<std::size_t>(state);
  return number < kNames.size() ? kNames.at(number) : std::string_view();
}

}  // namespace gatehouse
