// cert request: makes the key and the request here, and stores them or writes them to files.
#pragma once

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

[[nodiscard]] Ending RequestCertificate(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
