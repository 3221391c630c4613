// What a row of the negotiation matrix makes an edge do, in words for the operator: 4.5 and 4.6.
// Pure; asks the same functions that streams ask.
#pragma once

#include <string>
#include <vector>

#include "core/policy/negotiation.h"

namespace gatehouse {

// What a stream that the partner opens meets, a sentence each. Empty for a row that is refused.
[[nodiscard]] std::vector<std::string> ExplainInbound(const NegotiationRow& row);
// What we do on a stream of our own. Empty for a row that is refused.
[[nodiscard]] std::vector<std::string> ExplainOutbound(const NegotiationRow& row);

}  // namespace gatehouse
