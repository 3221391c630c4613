// What is said where a slot has no certificate: nothing is assigned, and gatehouse.yaml names none;
// and where what it shows comes to its end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

inline constexpr std::string_view kNoCertificate =
    "there is no certificate to show that can be used, so nobody is served over TLS; see "
    "gatehousectl cert list, cert request, cert import and cert assign";
// Of tls_listener and sip_translator; 1: so it is there.
inline constexpr std::string_view kNoCertificateMetric = "gatehouse_certificate_missing";

// Of policy_engine, by slot; below 0: it has ended. 0: the slot shows none any more.
inline constexpr std::string_view kCertificateExpiryMetric = "gatehouse_certificate_expiry_seconds";
[[nodiscard]] inline std::string SlotLabels(std::string_view slot) {
  return "{slot=\"" + std::string(slot) + "\"}";
}
// Days before its end from which on an operator is told.
inline constexpr std::int64_t kCertificateToldFromDays = 30;

// Of acme_client.
inline constexpr std::string_view kAcmeFailuresMetric = "gatehouse_acme_failures_in_row";

}  // namespace gatehouse
