// Carries out `sip plan`.
#pragma once

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

[[nodiscard]] Ending PlanSip(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
