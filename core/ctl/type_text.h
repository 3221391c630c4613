// Partner types as an operator reads them.
#pragma once

#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// One line for each, with what its contacts may do.
[[nodiscard]] std::string TypeListText(const proto::PartnerTypeViews& types);

}  // namespace gatehouse::ctl
