// What is told of a certificate: to an operator, and to the audit. Never a key.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "plugins/policy_engine/certificate_keeper.h"
#include "proto/certificates.pb.h"

namespace gatehouse::policy_engine {

// Without slots, warnings, and the texts of request and chain.
[[nodiscard]] proto::CertificateView CertificateViewOf(const HeldCertificate& held);
// JSON objects.
[[nodiscard]] std::string CertificateAuditText(const HeldCertificate& held);
[[nodiscard]] std::string SlotsAuditText(std::span<const Slot> slots,
                                         const std::map<Slot, std::string>& assigned);

// The audit's actions.
inline constexpr std::string_view kCertRequest = "cert request";
inline constexpr std::string_view kCertImport = "cert import";
inline constexpr std::string_view kCertRemove = "cert remove";
inline constexpr std::string_view kCertKey = "cert key";
inline constexpr std::string_view kCertAssign = "cert assign";
inline constexpr std::string_view kCertUnassign = "cert unassign";
[[nodiscard]] constexpr bool IsCertificateAction(std::string_view action) {
  return action == kCertRequest || action == kCertImport || action == kCertRemove ||
         action == kCertKey;
}
// Before and after it a slot shows this certificate or that.
[[nodiscard]] constexpr bool IsSlotAction(std::string_view action) {
  return action == kCertAssign || action == kCertUnassign;
}

}  // namespace gatehouse::policy_engine
