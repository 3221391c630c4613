// Remembers what was refused for another reason than policy, so that `gatehousectl why` finds it as
// well.
#pragma once

#include <string_view>

#include "core/policy/traffic_kind.h"
#include "plugins/sip_translator/flow_context.h"
#include "plugins/sip_translator/hand_over.h"
#include "plugins/sip_translator/page_mode.h"
#include "plugins/sip_translator/request_checks.h"

namespace gatehouse::translator {

// Of a SIP request. Gives `answer` the id of the record, and says it in a Warning. Leaves alone
// what is no refusal, what has an id, and what has no reason of the catalogue.
void NoteAnswer(FlowContext& context, TrafficKind kind, const PageAddresses& addresses,
                HandOverAnswer& answer);
// The same where the addresses may be none of ours, or no addresses at all.
void NoteAnswer(FlowContext& context, TrafficKind kind, std::string_view from_uri,
                std::string_view to_uri, HandOverAnswer& answer);

// Of a SIP request of a peer of ours that nobody translates, for its method or an extension; once a
// minute where it comes over and over.
void NoteRequest(FlowContext& context, const SipMessage& request, RequestAnswer& answer);

}  // namespace gatehouse::translator
