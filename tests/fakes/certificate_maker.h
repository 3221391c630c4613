// A throw-away certificate authority: issues what a test asks for, good or bad, as PEM files in its
// own folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/tls/tls_context.h"

namespace gatehouse {

enum class TestKey { kP256, kP384, kP521, kEd25519, kRsa1024, kRsa2048 };

struct CertificatePlan {
  std::string common_name = "test";
  std::vector<std::string> dns_names;
  std::vector<std::string> srv_names;
  std::vector<std::string> xmpp_addrs;
  std::vector<std::string> uris;
  std::vector<std::string> ip_addresses;
  bool empty_alternative_name = false;
  std::string key_usage =
      "digitalSignature";          // as OpenSSL writes it; empty: the extension is absent
  std::string extended_key_usage;  // the same
  std::string name_constraints;    // the same
  TestKey key = TestKey::kP256;
  bool sha1_signature = false;
  bool is_authority = false;
  int starts_in_days = -1;
  int ends_in_days = 30;
  int ends_in_seconds = 0;  // more
};

class CertificateMaker {
 public:
  CertificateMaker();
  ~CertificateMaker();
  CertificateMaker(const CertificateMaker&) = delete;
  CertificateMaker& operator=(const CertificateMaker&) = delete;

  // PEM of the root.
  [[nodiscard]] std::string trust() const { return Path("root.pem"); }
  // Signed by the root; `trust` of the result is the root.
  [[nodiscard]] TlsFiles Issue(const CertificatePlan& plan);
  // Signed by an intermediate of that plan, which is in the chain file.
  [[nodiscard]] TlsFiles IssueBelow(const CertificatePlan& intermediate,
                                    const CertificatePlan& leaf);
  [[nodiscard]] TlsFiles SelfSigned(const CertificatePlan& plan);
  // A file of the folder.
  [[nodiscard]] std::string Path(const std::string& name) const {
    return (folder_ / name).string();
  }

 private:
  struct Authority;
  [[nodiscard]] TlsFiles NextFiles();

  std::filesystem::path folder_;
  std::unique_ptr<Authority> root_;
  int issued_ = 0;
};

}  // namespace gatehouse
