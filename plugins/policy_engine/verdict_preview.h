// `gatehousectl policy test`: what would become of a stanza or a SIP request, by the same Decide
// that judges the real ones.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/policy/decide.h"
#include "proto/ctl.pb.h"

namespace gatehouse::policy_engine {

// The state of (SIP user, contact), both prepared bare JIDs; called only where it matters.
using StateOfContact =
    std::function<Result<ContactState>(const std::string& sip_user, const std::string& contact)>;

// `served` are our own domains, prepared. Where a subscription or a stream decides too, the one
// that lets most through is assumed: it is awaited, and proven by the partner's best method.
//   fails  kConfig for addresses that cannot be read, of which none or both are ours, and for a
//   kind
//          there is not in that direction; as `state_of` does
Result<proto::PolicyVerdict> PreviewVerdict(const PolicyView& policy,
                                            std::span<const std::string> served,
                                            const proto::PolicyTest& test,
                                            const StateOfContact& state_of);

}  // namespace gatehouse::policy_engine
