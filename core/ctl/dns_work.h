// Carries out `dns check` and `dns plan`.
#pragma once

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

[[nodiscard]] Ending CheckDns(const Invocation& invocation, const Outside& outside);
[[nodiscard]] Ending PlanDns(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
