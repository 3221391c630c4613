// Remembers what was refused for another reason than policy, so that `gatehousectl why` finds it as
// well.
#pragma once

#include <string_view>

#include "core/policy/traffic_kind.h"
#include "plugins/sip_translator/flow_context.h"
#include "plugins/sip_translator/hand_over.h"
#include "plugins/sip_translator/message_queue.h"
#include "plugins/sip_translator/page_mode.h"
#include "plugins/sip_translator/request_checks.h"
#include "plugins/sip_translator/stanza_check.h"

namespace gatehouse::translator {

// Of a SIP request whose addresses are sound. Gives `answer` the id of the record, and says it in a
// Warning. Leaves alone what is no refusal, what has an id, and what has no reason of the
// catalogue. The same within a minute is one record.
void NoteAnswer(FlowContext& context, TrafficKind kind, const PageAddresses& addresses,
                HandOverAnswer& answer);
// The same of one that goes no further for what it is: its addresses may be none of ours, or no
// addresses at all. It takes no place of what was refused later on its way.
void NoteUnserved(FlowContext& context, const RefusedRequest& request, HandOverAnswer& answer);

// Of a SIP request of a peer of ours that the endpoint answers itself.
void NoteRequest(FlowContext& context, const RefusedRequest& request, RequestAnswer& answer);

// Of a stanza that comes to nothing for another reason than policy. Gives `result` the id of the
// record, and its text the id too. Gives whether it is a new record: the same within a minute is
// one.
bool NoteStanza(FlowContext& context, TrafficKind kind, const StanzaAddresses& addresses,
                SipResult& result);

// Of a SIP user who watches a contact no longer, though he has not ended it. `about`, static, is
// which of several such ends.
RefusalMemory::Added NoteEndedWatch(FlowContext& context, const ContactPair& pair, Reason reason,
                                    std::string_view about, std::string_view detail);

}  // namespace gatehouse::translator
