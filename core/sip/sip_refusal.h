// What is still good enough in a bad message to answer it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/sip/sip_head.h"
#include "core/sip/sip_message.h"

namespace gatehouse {

// The refusal of the message with this head. Answerable when it is a request other than ACK with a
// readable first Via.
[[nodiscard]] SipRefusal Refuse(const SipHead& head, SipFault fault, SipArena& arena);
// The same for a head a framer gave up on.
[[nodiscard]] SipRefusal Refuse(std::string_view head_bytes, SipFault fault);

// Value of Content-Length; nullopt when there is none. Repeated equal values count once.
// Fails with 400 when it is no number up to 2^31-1 or two differ (12.3 S4).
[[nodiscard]] Result<std::optional<std::size_t>, SipFault> DeclaredBodyBytes(const SipHead& head);

// A To tag that the same request gets every time it comes (RFC 3261 §8.2.7).
[[nodiscard]] std::string StatelessTag(std::string_view top_via, std::string_view call_id);

}  // namespace gatehouse
