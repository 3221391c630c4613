// Which row of 5.2 a stanza from a partner falls under. Pure.
#pragma once

#include "core/policy/traffic_kind.h"
#include "core/xmpp/jid.h"
#include "proto/stanza.pb.h"

namespace gatehouse::translator {

// `stanza` has passed CheckInbound; `to` is its address. Total: a type nobody knows counts as the
// default one of its kind (RFC 6121 §5.2.2), and so as nothing in a presence.
[[nodiscard]] TrafficKind KindOf(const proto::Element& stanza, const Jid& to);

}  // namespace gatehouse::translator
