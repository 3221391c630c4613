// Looks through what came over a connection before TLS.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::selftest {

// Goes through `octets` to their last: stream headers, features, STARTTLS, refusals, errors and
// footers may stand in clear, nothing else may.
//   gives  empty when that is all there is, else what stands there, from its first octet on
[[nodiscard]] std::string ForeignInClear(std::string_view octets);

}  // namespace gatehouse::selftest
