// Certificates for people.
#pragma once

#include <cstdint>
#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// `now`: Unix time; how many days are left.
[[nodiscard]] std::string CertificateListText(const proto::CertificateViews& views,
                                              std::int64_t now);
[[nodiscard]] std::string CertificateText(const proto::CertificateView& view, std::int64_t now);
// What `request` gave: one that was asked for or changed, or all of them.
[[nodiscard]] std::string CertificatesText(const proto::CtlRequest& request,
                                           const proto::CertificateViews& views, std::int64_t now);
[[nodiscard]] std::string RenewalText(const proto::RenewalView& view, std::int64_t now);
[[nodiscard]] bool IsAboutOneCertificate(const proto::CtlRequest& request,
                                         const proto::CertificateViews& views);

}  // namespace gatehouse::ctl
