#include "core/policy/reasons.h"

#include <array>

namespace gatehouse {
namespace {

// clang-format off
constexpr std::array kEntries = {
    ReasonEntry{Reason::kNone, "none", "", "", ""},
    ReasonEntry{Reason::kUnknownPartner, "unknown-partner",
                "the remote domain is no enabled partner's",
                "add it with `gatehousectl partner new DOMAIN`, or enable it with `partner set DOMAIN --enabled true`",
                "not a partner"},
    ReasonEntry{Reason::kMethodNotPermitted, "method-not-permitted",
                "the partner's row of the negotiation matrix does not permit the way its domain was proven",
                "see `gatehousectl partner explain DOMAIN`",
                "not permitted"},
    ReasonEntry{Reason::kNotOurDomain, "not-our-domain",
                "the local domain is not served here",
                "add it to `domains` in gatehouse.yaml and reload",
                "not served here"},
    ReasonEntry{Reason::kFederationOff, "federation-off",
                "XMPP federation is switched off, or does not go this way",
                "see `gatehousectl gateway get`; switch it on with `gateway set --federation on`",
                "contact not authorised"},
    ReasonEntry{Reason::kNoXmppAccess, "no-xmpp-access",
                "the SIP user's external access policy is without XMPP",
                "see `gatehousectl policy list`; let him with `policy grant` or `policy set --enable-xmpp-access true`",
                "contact not authorised"},
    ReasonEntry{Reason::kContactNotAuthorised, "contact-not-authorised",
                "the partner's type asks that the SIP user has added the contact, and he has not",
                "let the user add the contact, or allow it with `gatehousectl contact allow`",
                "contact not authorised"},
    ReasonEntry{Reason::kContactBlocked, "contact-blocked",
                "an administrator has blocked this contact for the SIP user",
                "lift it with `gatehousectl contact forget`",
                "contact not authorised"},
    ReasonEntry{Reason::kNotAwaited, "not-awaited",
                "nobody on our side asked for this presence or this answer",
                "",
                ""},
    ReasonEntry{Reason::kNotSubscribed, "not-subscribed",
                "the contact has no approved subscription to the SIP user",
                "",
                ""},
    ReasonEntry{Reason::kGroupChat, "group-chat",
                "a message of type groupchat was sent to a user",
                "",
                "no group chat with a user"},
    ReasonEntry{Reason::kNoUserAddressed, "no-user-addressed",
                "a message or presence was sent to the domain, not to a user",
                "",
                "no user is addressed"},
    ReasonEntry{Reason::kPolicyUnavailable, "policy-unavailable",
                "policy_engine did not say in time whether the SIP user has authorised the contact",
                "see `gatehousectl worker list` and the log of policy_engine/0",
                "try again later"},
    ReasonEntry{Reason::kNotOurUser, "not-our-user",
                "the From of a SIP request is no user of a domain of ours",
                "add the domain to `domains` in gatehouse.yaml, or mend the sender", ""},
    ReasonEntry{Reason::kNoAddress, "no-address",
                "an address has no counterpart in the other protocol",
                "", ""},
    ReasonEntry{Reason::kUnreadableContent, "unreadable-content",
                "the body cannot be read, or is of a type that does not cross",
                "", ""},
    ReasonEntry{Reason::kTooLarge, "too-large",
                "the message is larger than the other side takes",
                "raise sip.page_mode_max where the whole way to the next hop is TCP or TLS", ""},
    ReasonEntry{Reason::kTooManyIdentical, "too-many-identical",
                "the same text was sent too often within seconds, as loops and floods do",
                "", ""},
    ReasonEntry{Reason::kOverloaded, "overloaded",
                "too much waits already; the sender should come back later",
                "see queues in `gatehousectl status`", ""},
    ReasonEntry{Reason::kExpired, "expired",
                "its time ran out before it could be handed over",
                "try `gatehousectl test stream DOMAIN`, and see that the SIP next hop answers", ""},
    ReasonEntry{Reason::kNextHopRefused, "next-hop-refused",
                "the SIP side refused it, for the status in the log line",
                "", ""},
    ReasonEntry{Reason::kNextHopSilent, "next-hop-silent",
                "the SIP side gave no final answer in time",
                "see that the next hop runs and that its answers come back", ""},
    ReasonEntry{Reason::kNextHopUnreachable, "next-hop-unreachable",
                "no connection to the SIP next hop could be made or kept",
                "check next_hop in gatehouse.yaml and the way to it", ""},
    ReasonEntry{Reason::kNextHopUntrusted, "next-hop-untrusted",
                "the SIP next hop's certificate is not that of its name",
                "give the next hop a certificate with that name, by an authority in tls.trust", ""},
    ReasonEntry{Reason::kNoSipRoute, "no-sip-route",
                "DNS names no SIP server for the domain, or next_hop is no SIP URI",
                "set next_hop in gatehouse.yaml, or add the SRV record", ""},
    ReasonEntry{Reason::kNotHandedOver, "not-handed-over",
                "the stanza could not be handed to a stream of the partner",
                "run `gatehousectl test stream DOMAIN` to see where the connection fails", ""},
    ReasonEntry{Reason::kInternal, "internal",
                "something in Gatehouse itself is wrong",
                "please report it with the log line", ""},
};
// clang-format on

consteval bool IsInOrder() {
  for (std::size_t i = 0; i < kEntries.size(); ++i)
    if (kEntries.at(i).reason != static_cast<Reason>(i)) return false;
  return true;
}
static_assert(IsInOrder(), "an entry is found by the number of its reason");

}  // namespace

std::span<const ReasonEntry> Reasons() {
  return std::span(kEntries).subspan(1);
}

const ReasonEntry& EntryOf(Reason reason) {
  const auto index = static_cast<std::size_t>(reason);
  return kEntries.at(index < kEntries.size() ? index : 0);
}

std::size_t ReasonCount() {
  return kEntries.size();
}

}  // namespace gatehouse
