// What an operator should know at a glance, beside the figures of a status.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/config.pb.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

// A sentence each, with what to do: a plugin none of whose workers runs; nobody may use XMPP; SIP
// peers that are refused for who they are; a slot that a listener needs is empty, or what it shows
// ends within 30 days or has ended; ACME has failed, how often, why and when it goes on.
//   config   gatehouse.yaml
//   report   its workers and their counters
//   renewal  as acme_client tells; null: there is none, or it did not answer
//   now      Unix time
[[nodiscard]] std::vector<std::string> StatusNotices(const proto::Config& config,
                                                     const proto::StatusReport& report,
                                                     const proto::RenewalView* renewal,
                                                     std::int64_t now);

}  // namespace gatehouse
