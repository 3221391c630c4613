// SIP URIs and JIDs, both ways (protocol chapter 6). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/address/refusal.h"
#include "core/base/result.h"
#include "core/xmpp/jid.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

// A Request-URI, or the URI of To, From or Contact, as JID.
//   uri      the URI alone, without <> and header parameters; any length, any octets
//   returns  the prepared JID; port and parameters are dropped, but `gr` becomes the resource and
//   the `opaque` value
//            of a Lync GRUU a resource "lync-" + 16 hex digits
//   fails    400 bad syntax, 404 no address of ours or a partner's can look so, 416 a scheme we do
//   not route.
//            Whether the domain is served or a partner's is the caller's question.
//   source   6.3, steps 1 to 11. RFC 7247 §6.4
Result<Jid, Refusal> SipUriToJid(std::string_view uri);

enum class ResourceUse : std::uint8_t {
  kDrop,   // To, Request-URI; profile lync everywhere
  kAsGruu  // ";gr=": From and Contact, profiles page and msrp (6.4)
};

// The SIP URI of a prepared JID, always with the scheme `sip`, without port.
//   fails    jid-malformed when the localpart starts or ends with an escaped space, which X-0106
//   §3.2 forbids and
//            no SIP URI can lead back to; item-not-found when the domain has no A-label form
//   source   6.4, steps 2 to 5. RFC 7247 §6.5
Result<std::string, proto::StanzaCondition> JidToSipUri(const Jid& jid, ResourceUse resource);

// The user part alone, percent-encoded: for our own Contact. Takes a prepared localpart.
[[nodiscard]] std::string LocalpartToSipUser(std::string_view local);

// The two halves of X-0106. Escape wants text that preparation would not change in width.
[[nodiscard]] std::string EscapeLocalpart(std::string_view text);
[[nodiscard]] std::string UnescapeLocalpart(std::string_view local);

}  // namespace gatehouse
