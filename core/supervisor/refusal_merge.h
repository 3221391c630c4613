// `gatehousectl why` over all workers that remember refusals: one answer of many. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse {

struct WorkersAnswer {
  std::string instance;         // "tls_listener/1"
  proto::CtlResponse response;  // its refusals, or why there are none
};
inline constexpr std::size_t kMaxRefusalsShown = 200;

// One list, newest first. Who could not be asked is named in `error`, and hides nothing of the
// others'; exit_code is 1 where an id was asked for and nobody has it, or nobody could be asked.
[[nodiscard]] proto::CtlResponse MergeRefusals(const proto::Why& asked,
                                               std::span<const WorkersAnswer> answers);

}  // namespace gatehouse
