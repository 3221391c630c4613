// What the sender of a SIP request is told about the hand-over of its stanza (3.9, 7.1). Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/address/refusal.h"
#include "ipc/data_link.h"
#include "plugins/sip_translator/error_mapping.h"
#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse::translator {

struct HandOverAnswer {
  int status = 200;
  std::string why = {};  // for the log; never sent
  std::vector<SipExtraHeader> headers = {};
};

// 200 without a word.
[[nodiscard]] HandOverAnswer Accepted();
// The answer to what was refused before any offer; a 415 says what we take.
[[nodiscard]] HandOverAnswer RefusedWith(const Refusal& refusal);
// Our own limits: 500 with Retry-After, never 503. 3.9
[[nodiscard]] HandOverAnswer Overloaded(std::string_view why);
// The answer for a settled offer. `host` names us in a Warning.
//   Delivered 200; Expired 408; Failed by 7.1, but 480 with Retry-After while backing off and 480
//   with Warning 399 where the negotiation row and the peer have nothing in common
[[nodiscard]] HandOverAnswer AnswerFor(const ipc::Outcome& outcome, bool to_full_jid,
                                       SipProfile profile, std::string_view host);

}  // namespace gatehouse::translator
