// gatehousectl test im: one real message from a SIP user to an XMPP address, with what became of
// it.
#pragma once

#include <functional>

#include "plugins/sip_translator/sip_to_xmpp.h"
#include "proto/ctl.pb.h"

namespace gatehouse::translator {

// `answer` is called once, at the latest after SipToXmpp::kHandOverLimit. Before the first snapshot
// the test fails.
void TestIm(FlowContext& context, SipToXmpp& flow, const proto::TestIm& test,
            std::function<void(proto::CtlResponse)> answer);

}  // namespace gatehouse::translator
