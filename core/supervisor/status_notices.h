// What an operator should know at a glance, beside the figures of a status.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/ctl.pb.h"

namespace gatehouse {

// A sentence each, with what to do: nobody may use XMPP; a slot that a listener needs is empty, or
// what it shows ends within 30 days or has ended; ACME has failed, how often, why and when it goes
// on.
//   report   its workers and their counters
//   renewal  as acme_client tells; null: there is none, or it did not answer
//   now      Unix time
[[nodiscard]] std::vector<std::string> StatusNotices(const proto::StatusReport& report,
                                                     const proto::RenewalView* renewal,
                                                     std::int64_t now);

}  // namespace gatehouse
