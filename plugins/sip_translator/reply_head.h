// The header lines of a response that come from its request, made once when the request arrives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/sip/sip_message.h"
#include "plugins/sip_translator/sip_transport.h"

namespace gatehouse {

// All Vias in order, the first with received and rport as the source demands; From, To (given a tag
// where it has none), Call-ID and CSeq. RFC 3261 §8.2.6.2, §18.2.1; RFC 3581 §4; 11.6
[[nodiscard]] std::string ReplyHead(const SipMessage& request, const SipSource& source);

// The same for a request that could not be read; empty where its first Via cannot be answered to.
struct RefusalReply {
  std::string head;
  SipReturnPath path;
};
[[nodiscard]] RefusalReply ReplyHead(const SipRefusal& refusal, const SipSource& source);

}  // namespace gatehouse
