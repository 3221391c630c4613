// The list of name servers as the operator writes it.
#pragma once

#include <span>
#include <string>

#include "core/base/result.h"

namespace gatehouse {

// "127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:53" into c-ares' comma list; fails (kConfig) naming
// the entry.
Result<std::string> DnsServerList(std::span<const std::string> servers);

}  // namespace gatehouse
