// The domains this edge speaks for.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "proto/config.pb.h"

namespace gatehouse {

// The names of `domains` in gatehouse.yaml, prepared (6.1), in their order.
//   fails  kConfig for a name that is no domain, or when there is none
[[nodiscard]] Result<std::vector<std::string>> OwnDomains(const proto::Config& config);

}  // namespace gatehouse
