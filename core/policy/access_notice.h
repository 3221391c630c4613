// What is said where there are partners, but no access policy lets anybody talk with them: as a new
// store begins, and one from before there were access policies.
#pragma once

#include <string_view>

namespace gatehouse {

inline constexpr std::string_view kNobodyMay =
    "no access policy lets anybody talk with partners; let all with gatehousectl policy set global "
    "--enable-xmpp-access true, or some with gatehousectl policy grant";
// Of policy_engine; 1: so it is.
inline constexpr std::string_view kNobodyMayMetric = "gatehouse_policy_nobody_may";

}  // namespace gatehouse
