// What TLSA records say of the chain a server showed (3.5; RFC 6698 §2.1, RFC 7671 §5).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/tls/tlsa_record.h"

namespace gatehouse {

// All of it outlives the call.
struct DaneQuestion {
  std::span<const TlsaRecord> records;  // usable ones
  std::string_view anchors_pem;  // for PKIX-TA and PKIX-EE; empty: those of the session's context
  std::string_view domain;       // the partner's, prepared
  std::string_view target;       // host of the SRV record, A-label form
};

struct DaneVerdict {
  bool matched = false;  // by one of the records: the server is who it should be
  // The record that matched, or why each of them did not: for the log and the operator.
  std::string detail;
  // When the certificates that proved it end; 0: they may be of any age (DANE-EE, RFC 7671 §5.1).
  std::int64_t not_after_unix = 0;
};

}  // namespace gatehouse
