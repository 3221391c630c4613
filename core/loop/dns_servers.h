// The list of name servers as the operator writes it.
#pragma once

#include <span>
#include <string>

#include "core/base/result.h"

namespace gatehouse {

// "127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:53" into c-ares' comma list; fails (kConfig) naming
// the entry.
Result<std::string> DnsServerList(std::span<const std::string> servers);

// Whether all of them are on this machine, and there is one: only then nobody on the way can set
// the AD bit of an answer. Fails (kConfig) with what is wrong with dns.dnssec and would be right.
Result<void> CheckServersAreLocal(std::span<const std::string> servers);

}  // namespace gatehouse
