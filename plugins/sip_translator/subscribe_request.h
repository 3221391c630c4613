// One SUBSCRIBE for presence as its subscriber meant it. RFC 6665 §4.2.1, RFC 3856; 9.3, 9.5. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/sip/sip_message.h"
#include "plugins/sip_translator/hand_over.h"

namespace gatehouse::translator {

inline constexpr std::uint32_t kDefaultExpiresSeconds = 3600;  // RFC 3856 §6.4
inline constexpr std::uint32_t kMinExpiresSeconds = 60;
inline constexpr std::uint32_t kMaxExpiresSeconds = 28800;
inline constexpr std::size_t kMaxRoutes = 16;

struct SubscribeRequest {
  std::string event;                // "presence" or "presence;id=x", for the NOTIFYs
  std::uint32_t expires_s = 0;      // granted; 0: an end, or a single look
  std::string target;               // the URI of its Contact
  std::vector<std::string> routes;  // URIs of its Record-Routes, in order; they go into NOTIFYs
};

// Takes a whole and well-formed SUBSCRIBE.
//   fails  489 with Allow-Events for another event, 406 where PIDF is not accepted, 423 with
//   Min-Expires, 400 without a usable Contact or with a Record-Route that is none
Result<SubscribeRequest, HandOverAnswer> ReadSubscribe(const SipMessage& message);

}  // namespace gatehouse::translator
