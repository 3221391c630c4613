// Why a SIP request is not translated.
#pragma once

#include <string_view>

namespace gatehouse {

// The status to answer with and static words for the log.
struct Refusal {
  int status = 400;
  std::string_view why;
  bool operator==(const Refusal&) const = default;
};

}  // namespace gatehouse
