// What a worker answers to `gatehousectl why`, out of what it remembers.
#pragma once

#include "core/policy/policy_view.h"
#include "core/policy/refusal_memory.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

// Where to keep a refusal of `domain` (prepared): its partner's primary domain, whatever the
// partner is to us now; empty where it is no partner's. `policy` may be null.
[[nodiscard]] std::string_view PlaceOf(const PolicyView* policy, std::string_view domain);

// The one refusal, those of a partner, or the last ones of everybody; none is no error here,
// another worker may have it. `policy` may be null.
[[nodiscard]] proto::CtlResponse AnswerWhy(const RefusalMemory& memory, const PolicyView* policy,
                                           const proto::Why& why);

}  // namespace gatehouse
