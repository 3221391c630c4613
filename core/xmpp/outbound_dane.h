// What DNSSEC and TLSA records say of a target, and what that means for a stream of ours (3.5; RFC
// 7673).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/metrics.h"
#include "core/loop/dns_lookup.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

enum class DaneMode : std::uint8_t {
  kOff,      // not looked up
  kReport,   // looked up, judged, told; changes nothing
  kEnforce,  // decides
};

enum class DaneResult : std::uint8_t {
  kNotAsked,      // off, or no SRV record led here and it is not enforced
  kInsecure,      // SRV record or addresses are not validated; enforced: or there is no SRV record
  kNoRecords,     // no TLSA record, or none that is validated
  kUnusable,      // none of those there is usable: as if there were none (RFC 7673 §4.1)
  kLookupFailed,  // or bogus: enforced, the target is not connected to (RFC 7673 §3.4)
  kFound,         // there are usable ones; TLS will tell
  kMatched,
  kMismatched,
};

// One target of a dial.
struct TargetDane {
  DaneMode mode = DaneMode::kOff;
  DaneResult result = DaneResult::kNotAsked;
  std::vector<TlsaRecord> records;  // usable ones; not empty where `result` is kFound
  // The SRV record is validated: the certificate may name the target (RFC 7673 §4.1).
  bool names_target = false;

  [[nodiscard]] bool demands_tls() const { return mode == DaneMode::kEnforce && !records.empty(); }
  [[nodiscard]] bool rules_out() const {
    return mode == DaneMode::kEnforce && result == DaneResult::kLookupFailed;
  }
};

// What is logged and counted, once a target.
struct DaneReport {
  DaneMode mode;
  DaneResult result;  // neither kNotAsked nor kFound
  std::string detail;
};

// Of a partner as the snapshot has it. kOff without TLS.
[[nodiscard]] DaneMode DaneModeOf(const proto::Partner& partner);
[[nodiscard]] std::string_view DaneResultName(DaneResult result);  // "lookup-failed"

// "_5269._tcp.xmpp.partner.example" (RFC 6698 §3)
[[nodiscard]] std::string TlsaName(std::string_view host, std::uint16_t port);
// Puts what came for it into `dane`.
void TakeTlsa(const DnsAnswer<TlsaRecord>& answer, TargetDane& dane);

// Counts gatehouse_dane_total and logs what an operator may want to act upon.
void NoteDane(Metrics& metrics, std::string_view remote, const DaneReport& report);

}  // namespace gatehouse
