// Streams that are refused or cannot be opened, in the words of the catalogue of reasons
// (core/policy/reasons.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/policy/reasons.h"
#include "core/policy/traffic_kind.h"
#include "core/tls/tls_session.h"
#include "core/xmpp/outbound_fault.h"
#include "core/xmpp/stream_errors.h"

namespace gatehouse {

struct StreamRefusal {
  Direction direction = Direction::kXmppToSip;  // of the stanzas it would have carried
  std::string_view local = {}, remote = {};     // prepared; empty: not known
  std::string_view address = {};                // where it came from; empty: outbound
  Reason reason = Reason::kNone;
  std::string_view answer = {};  // static: a condition; empty: nothing was said
  std::string detail = {};       // of the reason; one line, not the peer's words
  bool proven = false;           // the remote domain is proven, or we chose it
};
struct NotedRefusal {
  std::string id;      // empty: nobody remembers
  bool is_new = true;  // false: the same thing was refused a moment ago
};
// Remembers it. `refusal` is not kept.
using NoteRefusal = std::function<NotedRefusal(const StreamRefusal& refusal)>;

// Why we say `condition`, where nothing more is known. kNone: it is no refusal.
[[nodiscard]] Reason ReasonOf(StreamCondition condition);
[[nodiscard]] Reason ReasonOf(const OutboundFault& fault);
// By which reason the peer of a refused stream is told (ToldText): whoever is no partner learns no
// more than that.
[[nodiscard]] constexpr Reason ToldOfStreams(Reason reason) {
  return reason == Reason::kFederationOff ? Reason::kUnknownPartner : reason;
}
// Why this certificate, as the anchors in force judge it, does not prove `domain`. One line.
[[nodiscard]] std::string CertificateTrouble(const PeerCertificate& judged,
                                             std::string_view domain);

}  // namespace gatehouse
