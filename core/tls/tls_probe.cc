#include "core/tls/tls_probe.h"

#include <openssl/x509.h>

#include <algorithm>

#include "core/tls/boring_context.h"
#include "core/tls/certificate_names.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxShown = 10;

std::int64_t DaysLeft(X509* certificate) {
  int days = 0;
  int second = 0;
  return ASN1_TIME_diff(&days, &second, nullptr, X509_get0_notAfter(certificate)) == 1 ? days : 0;
}

}  // namespace

std::vector<ShownCertificate> ShownChain(const TlsSession& session) {
  STACK_OF(X509)* chain = ShownCertificates(session);
  std::vector<ShownCertificate> shown;
  for (std::size_t i = 0; chain != nullptr && i < std::min(sk_X509_num(chain), kMaxShown); ++i) {
    X509* each = sk_X509_value(chain, i);
    shown.push_back({ShownName(X509_get_subject_name(each)), ShownName(X509_get_issuer_name(each)),
                     DaysLeft(each)});
  }
  return shown;
}

std::string ShownChainText(const TlsSession& session) {
  std::string text;
  for (const ShownCertificate& each : ShownChain(session)) {
    if (!text.empty()) text += " <- ";
    text += '"' + each.subject + "\" by \"" + each.issuer + "\", " +
            std::to_string(each.days_left) + " days left";
  }
  return text;
}

}  // namespace gatehouse
