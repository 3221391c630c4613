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

}  // namespace gatehouse::policy_engine
