// What the sender of a stanza is told when no stream carried it (3.9). Pure.
#pragma once

#include "core/base/clock.h"
#include "core/xmpp/stream_refusal.h"
#include "ipc/data_link.h"

namespace gatehouse {

// `retry_after` is what is left of the back-off; 0: nothing known.
[[nodiscard]] ipc::Outcome OutcomeOf(const OutboundFault& fault, milliseconds retry_after = {});
// One sentence for the operator: what to do about it.
[[nodiscard]] inline std::string_view RemedyOf(const OutboundFault& fault) {
  return EntryOf(ReasonOf(fault)).remedy;
}

}  // namespace gatehouse
