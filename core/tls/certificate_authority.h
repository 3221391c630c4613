// A certificate authority of our own, in memory: its root and P-256 certificates below it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"

namespace gatehouse {

// PEM texts.
struct IssuedCertificate {
  std::string chain;  // the leaf
  std::string key;    // PKCS #8, without a pass phrase
};

class CertificateAuthority {
 public:
  // Makes a key and a root certificate of that common name; valid for `days` from yesterday on.
  static Result<std::unique_ptr<CertificateAuthority>> Create(const std::string& common_name,
                                                              int days);
  virtual ~CertificateAuthority() = default;

  // A leaf with these dNSNames (A-labels, "*" as their first label allowed) for servers and
  // clients.
  //   fails  kConfig for no names, or one that no certificate can carry
  virtual Result<IssuedCertificate> Issue(std::span<const std::string> dns_names, int days) = 0;
  // PEM of the root.
  [[nodiscard]] virtual const std::string& root() const = 0;
};

}  // namespace gatehouse
