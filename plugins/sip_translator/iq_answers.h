// What the edge itself answers to an iq (5.6). Pure.
#pragma once

#include "proto/stanza.pb.h"

namespace gatehouse::translator {

// The answer to an iq of type get or set: a result for ping, disco#info and disco#items to the
// domain, an error of service-unavailable for everything else, bad-request for a get or set without
// exactly one child (RFC 6120 §8.2.3).
[[nodiscard]] proto::Element AnswerIq(const proto::Element& iq, bool to_domain);

}  // namespace gatehouse::translator
