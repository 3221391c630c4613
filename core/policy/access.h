// May this user of ours talk with XMPP partners? External access policies, as
// New-CsExternalAccessPolicy makes them (EnableXmppAccess, 1.4).
#pragma once

#include <string_view>

#include "core/policy/policy_view.h"
#include "core/policy/reasons.h"
#include "core/policy/traffic_kind.h"

namespace gatehouse {

// A user of ours, prepared. An empty localpart: the domain itself, which is nobody's.
struct LocalUser {
  std::string_view local;
  std::string_view domain;
};

struct AccessVerdict {
  bool may = false;
  Reason reason = Reason::kNone;  // where not
  // Stable id of the rule that decided: "federation", or by which grant the policy holds:
  // "access-user", "access-pattern", "access-domain", "access-global".
  std::string_view rule;
  std::string_view policy;  // its name, part of `view`; empty for "federation"
};

// Whether the gateway lets XMPP go that way at all; of no user is anything told by it.
[[nodiscard]] bool FederationGoes(const PolicyView& view, Direction direction);

// The narrowest grant holds: to the user, else to the pattern with the most characters that are no
// "*" (of equal ones a policy without access), else to his domain, else the policy "global". Where
// the gateway's federation does not go in `direction`, nobody may.
//   user  a domain alone may
// Total: no allocation, no I/O; a snapshot without "global" lets nobody in.
[[nodiscard]] AccessVerdict MayUseXmpp(const PolicyView& view, const LocalUser& user,
                                       Direction direction);

// Whether `text` is what `pattern` says, where each "*" stands for any number of characters.
[[nodiscard]] bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace gatehouse
