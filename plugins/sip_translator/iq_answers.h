// What the edge itself answers to an iq (5.6). Pure.
#pragma once

#include "core/xmpp/jid.h"
#include "proto/stanza.pb.h"

namespace gatehouse::translator {

// The answer to a permitted iq of type get or set: a result for ping, disco#info and disco#items to
// the domain and for disco#info to a user's bare JID, an error of service-unavailable for
// everything else, bad-request for a get or set without exactly one child (RFC 6120 §8.2.3). `to`
// is the iq's.
[[nodiscard]] proto::Element AnswerIq(const proto::Element& iq, const Jid& to);

}  // namespace gatehouse::translator
