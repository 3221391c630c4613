// What the sender of a SIP request is told about the hand-over of its stanza (3.9, 7.1). Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/address/refusal.h"
#include "core/policy/decide.h"
#include "ipc/data_link.h"
#include "plugins/sip_translator/error_mapping.h"
#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse::translator {

struct HandOverAnswer {
  int status = 200;
  std::string why = {};  // for the log; never sent
  std::vector<SipExtraHeader> headers = {};
  Reason reason = Reason::kNone;
  std::string id = {};  // of a refusal that is remembered
};

// 200 without a word.
[[nodiscard]] HandOverAnswer Accepted();
// The answer to what was refused before any offer; a 415 says what we take.
[[nodiscard]] HandOverAnswer RefusedWith(const Refusal& refusal);
// The same where it is an address that has no counterpart.
[[nodiscard]] HandOverAnswer NoCounterpart(const Refusal& refusal);
// The answer to what policy denies: its reason in the log, and in a Warning for the SIP side.
// `host` names us there. 5.2
[[nodiscard]] HandOverAnswer DeniedBy(const Verdict& verdict, std::string_view host,
                                      std::string id);
// policy_engine did not say in time what it had to be asked.
[[nodiscard]] HandOverAnswer PolicyUnavailable();
// Our own limits: 500 with Retry-After, never 503. 3.9
[[nodiscard]] HandOverAnswer Overloaded(std::string_view why);
// A limit of subscriptions is reached, as `words` say which: so answered, with the words in a
// Warning. `host` names us there. 12.3 S18
[[nodiscard]] HandOverAnswer TooManySubscriptions(std::string_view host, std::string_view words);
// The contact would be new, and its partner has as many as one may have: so answered as well. 12.5
[[nodiscard]] HandOverAnswer TooManyContacts(std::string_view host);
// The answer for a settled offer. `host` names us in a Warning.
//   Delivered 200; Expired 408; Failed by 7.1, but 480 with Retry-After while backing off and 480
//   with Warning 399 where the negotiation row and the peer have nothing in common
[[nodiscard]] HandOverAnswer AnswerFor(const ipc::Outcome& outcome, bool to_full_jid,
                                       SipProfile profile, std::string_view host);

}  // namespace gatehouse::translator
