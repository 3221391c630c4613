// A sibling's stanza is checked for limits and addresses, not for syntax: it parsed it, we do not
// trust it. Pure.
#pragma once

#include <optional>

#include "core/xmpp/jid.h"
#include "proto/link_listener_translator.pb.h"

namespace gatehouse::translator {

struct StanzaAddresses {
  Jid from;
  Jid to;
};
// nullopt: the listener broke its word. It is a message, presence or iq in jabber:server within the
// limits of 2.11, and the domainparts of its addresses equal the verified pair (1.1 rule 2).
[[nodiscard]] std::optional<StanzaAddresses> CheckInbound(const proto::InboundStanza& inbound);

}  // namespace gatehouse::translator
