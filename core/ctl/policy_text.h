// External access policies as an operator reads them.
#pragma once

#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// One line for each, with as many of its grants as fit.
[[nodiscard]] std::string PolicyListText(const proto::AccessPolicies& policies);
// One with all its grants.
[[nodiscard]] std::string PolicyText(const proto::AccessPolicy& policy);

}  // namespace gatehouse::ctl
