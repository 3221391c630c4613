// Single header values by osipparser2's grammar, with the strictness it lacks (12.3, RFC 4475).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/sip/sip_arena.h"
#include "core/sip/sip_message.h"

namespace gatehouse {

// Each takes a value that is followed by a NUL, as SipHead leaves it, and gives views into `arena`
// or the value itself. nullopt: malformed, or the arena is used up.

// One Via value (already cut at commas). Sent-protocol SIP/2.0, a host, no empty parameter. RFC
// 3261 §20.42
std::optional<SipVia> ReadVia(std::string_view value, SipArena& arena);
// Cuts a Via header at the commas outside quoted strings and reads each part; `vias` takes at most
// its size.
//   returns  how many were read; nullopt: one was malformed or there are more than `vias` can take
std::optional<std::size_t> ReadVias(std::string_view value, std::span<SipVia> vias,
                                    SipArena& arena);
// From or To. An unquoted display name must be tokens, a URI without <> must have no '?' or ','.
// RFC 3261 §20.10
std::optional<SipNameAddr> ReadNameAddr(std::string_view value, SipArena& arena);
// The number is at most 2^31-1. RFC 3261 §8.1.1.5
std::optional<SipCSeq> ReadCSeq(std::string_view value, SipArena& arena);

struct SipContentType {
  std::string_view type;     // "text/plain", lower case
  std::string_view charset;  // without quotes; empty: none
};
std::optional<SipContentType> ReadContentType(std::string_view value, SipArena& arena);

}  // namespace gatehouse
