// What is said where a slot has no certificate: nothing is assigned, and gatehouse.yaml names none.
#pragma once

#include <string_view>

namespace gatehouse {

inline constexpr std::string_view kNoCertificate =
    "there is no certificate to show that can be used, so nobody is served over TLS; see "
    "gatehousectl cert list, cert request, cert import and cert assign";
// Of tls_listener and sip_translator; 1: so it is there.
inline constexpr std::string_view kNoCertificateMetric = "gatehouse_certificate_missing";

}  // namespace gatehouse
