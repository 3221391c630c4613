// What a whole and well-formed request still has to pass before anybody translates it. Pure.
// 11.2, 11.5, 11.7, 11.8; 12.3 S9, S12, S16, S18
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy/reasons.h"
#include "core/sip/sip_message.h"
#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse {

// For an Allow header.
inline constexpr std::string_view kServedMethods = "MESSAGE, SUBSCRIBE, OPTIONS";

struct RequestAnswer {
  int status = 400;
  std::string_view reason;  // static
  std::vector<SipExtraHeader> headers;
  Reason why = Reason::kNone;  // of the catalogue; kNone: it is no refusal
  std::string id = {};         // of a refusal that is remembered
};

// A request that goes no further, as far as it could be read; views of the caller.
struct RefusedRequest {
  std::string_view method = {};         // empty: it could not be read
  std::string_view from = {}, to = {};  // URIs, or what stands in their place; may be empty
  [[nodiscard]] static RefusedRequest Of(const SipMessage& request);
};

// `own_sent_bys`: what our own Vias carry, "edge.corp.example:5061"; `from_trusted`: the peer is
// one of ours (11.8).
//   returns  the answer, or nullopt where the request (MESSAGE, SUBSCRIBE, and INVITE, which is
//   refused there) goes on to translation
std::optional<RequestAnswer> AnswerWithoutTranslation(const SipMessage& request, bool from_trusted,
                                                      std::span<const std::string> own_sent_bys);

// The answer to what is no request.
[[nodiscard]] RequestAnswer AnswerTo(const SipRefusal& refusal);

// A word that lives for ever: the method, where it is one that exists, or "another".
[[nodiscard]] std::string_view MethodWord(std::string_view method);

// The standard phrase of a status; "Unknown" where there is none. RFC 3261 §21
[[nodiscard]] std::string_view ReasonPhrase(int status);

}  // namespace gatehouse
