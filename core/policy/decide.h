// May this stanza or SIP request pass? One pure function for both directions: the decision table of
// 5.2. Called by sip_translator for each, and by policy_engine for `gatehousectl policy test`.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/policy/policy_view.h"
#include "core/policy/reasons.h"
#include "core/policy/traffic_kind.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

// What is known of (SIP user, bare JID), 5.4.
enum class ContactState : std::uint8_t {
  kNotAsked,
  kNotAuthorised,  // "n" of 5.2
  kAuthorised,     // "Y": the SIP user has added the contact
  kBlocked,        // an administrator has blocked it, whatever the partner's type
};

enum class Decision : std::uint8_t {
  kAllow,
  kAllowAutoApprove,  // a subscribe: and say `subscribed` at once
  kAllowStripNote,    // presence: without its note (9.8)
  kDeny,              // with `answer`
  kDrop,              // without a word; a SIP request gets its 200
  kAskEngine,         // it depends on the contact's state, which is kNotAsked
};

// What a denied party gets (5.2).
enum class DenialAnswer : std::uint8_t {
  kNone,
  kUnsubscribed,        // <presence type='unsubscribed'/> from the SIP user's bare JID
  kForbidden,           // <forbidden/>, auth
  kServiceUnavailable,  // <service-unavailable/>, cancel
  kSipForbidden,        // 403 with Warning 399
  kSipNotFound,         // 404
};

struct Envelope {
  TrafficKind kind = TrafficKind::kMessage;
  std::string_view local_domain;                       // prepared; empty: not served here
  std::string_view remote_domain;                      // prepared
  proto::AuthMethod method = proto::AUTH_METHOD_NONE;  // XMPP -> SIP: how the pair was verified
  ContactState contact = ContactState::kNotAsked;
  // kSubscribed: our subscribe is pending or approved. kPresence: the SIP user has a notification
  // dialog. kProbe, kSipPresence: the contact's own subscription is approved. Else without meaning.
  bool awaited = false;
  std::string_view local_part = {};  // of our user, prepared; empty: the domain itself
};

struct Verdict {
  Decision decision = Decision::kDeny;
  DenialAnswer answer = DenialAnswer::kNone;  // other than kNone for kDeny only
  Reason reason = Reason::kNone;              // of kDeny and kDrop
  std::string_view rule;                      // stable id of the rule that decided
  bool rich_activity = true;                  // kSipPresence: more than open and closed may be told

  [[nodiscard]] bool allowed() const { return decision <= Decision::kAllowStripNote; }
};

// Total: no allocation, no I/O, every input gets a verdict.
[[nodiscard]] Verdict Decide(const PolicyView& policy, const Envelope& envelope);

// What the denied party gets, in its protocol's word: "forbidden", "403"; empty: nothing.
[[nodiscard]] std::string_view AnswerName(DenialAnswer answer);
[[nodiscard]] std::string_view DecisionName(Decision decision);       // "allow-strip-note"
[[nodiscard]] std::string_view ContactStateName(ContactState state);  // "not-authorised"

}  // namespace gatehouse
