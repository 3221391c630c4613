// A response of the supervisor or a worker as an operator reads it.
#pragma once

#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// For people; every line ends with a line end. `request` says which of several views is wanted.
[[nodiscard]] std::string ResponseText(const proto::CtlRequest& request,
                                       const proto::CtlResponse& response);
// For scripts: one JSON object on one line.
[[nodiscard]] std::string ResponseJson(const proto::CtlRequest& request,
                                       const proto::CtlResponse& response);

}  // namespace gatehouse::ctl
