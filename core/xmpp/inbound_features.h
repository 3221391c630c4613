// What an inbound stream offers, by phase, negotiation row and certificate: the table of 4.5. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/policy/negotiation.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

enum class StreamPhase : std::uint8_t { kClear, kTls, kAuthenticated };

struct InboundFeatures {
  bool starttls = false;
  bool starttls_required = false;
  bool external = false;
  bool dialback = false;
  bool acks = false;  // XEP-0198: the stream may become open from here (2.13)
  bool bidi = false;  // XEP-0288: stanzas of ours may go out on this stream (2.14)
  // TLS phase: no method is left, the stream ends with not-authorized (2.5).
  bool hopeless = false;
  bool operator==(const InboundFeatures&) const = default;
};
// `row`: of the header's `from`; nullopt where the header has none: before TLS the strictest row
// holds, inside TLS the partner will be found at <db:result/> (2.2). `certificate_ok`: chain valid
// and matching that `from`.
[[nodiscard]] InboundFeatures FeaturesFor(StreamPhase phase,
                                          const std::optional<NegotiationRow>& row,
                                          bool certificate_ok);
// "<stream:features>…</stream:features>" (2.3)
[[nodiscard]] std::string FeaturesXml(const InboundFeatures& features);

// What becomes of a key by the row of its sender domain (2.8.3 nos. 1 and 4, 2.8.6, 2.8.8).
enum class DialbackAnswer : std::uint8_t {
  kVerify,            // ask the authoritative server
  kAccept,            // the certificate proves the domain: valid at once
  kNeedsTls,          // policy-violation
  kNeedsCertificate,  // not-authorized
  kSwitchedOff,       // 2.8.8
};
[[nodiscard]] DialbackAnswer AnswerToKey(StreamPhase phase, const NegotiationRow& row,
                                         bool certificate_ok);

}  // namespace gatehouse
