// May this stanza pass? One pure function, called by sip_translator only, for both directions.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/policy/policy_view.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

enum class Direction : std::uint8_t { kXmppToSip, kSipToXmpp };
enum class Decision : std::uint8_t { kAllow, kRefuse };
enum class RefusalReason : std::uint8_t {
  kNone,
  kUnknownPartner,      // the remote domain is no enabled partner's
  kMethodNotPermitted,  // the stream's method is not in the partner's row any more
  kNotOurDomain,        // the local domain is not served here
};

struct Envelope {
  Direction direction = Direction::kXmppToSip;
  std::string_view local_domain;   // prepared; the caller has checked that it is served
  std::string_view remote_domain;  // prepared
  proto::AuthMethod method = proto::AUTH_METHOD_NONE;  // kXmppToSip: how the pair was verified
};
struct Verdict {
  Decision decision = Decision::kRefuse;
  RefusalReason reason = RefusalReason::kNone;
  std::string_view rule;  // stable id of the rule that decided
};
// Total: no allocation, no I/O, every input gets a verdict.
[[nodiscard]] Verdict Decide(const PolicyView& policy, const Envelope& envelope);
[[nodiscard]] std::string_view RefusalName(RefusalReason reason);  // "unknown-partner"

}  // namespace gatehouse
