// Certificate signing requests (PKCS #10).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

struct RequestDetails {
  // The subject; what is empty is left out.
  std::string common_name;
  std::string organization;
  std::string organizational_unit;
  std::string country;  // two letters
  std::string state;
  std::string locality;
  std::vector<std::string> dns_names;  // A-labels, "*" as their first label allowed
  std::vector<std::string> srv_names;  // "_xmpp-server.corp.example" (RFC 4985)
};

// "corp.example", "*.corp.example", "edge": letters, digits, hyphens and dots, as certificates have
// them.
[[nodiscard]] bool IsDnsName(std::string_view name);

// PEM. Asks for a certificate for servers and clients, signed with the key.
//   fails  kConfig: the key cannot be read, no name at all, one that no certificate can carry, or a
//          subject field that is too long
Result<std::string> MakeCertificateRequest(const RequestDetails& details,
                                           const std::string& key_pem);
// SHA-256 over the SubjectPublicKeyInfo, 32 octets. Verifies that the request is signed with that
// key.
//   fails  kConfig
Result<std::string> RequestPublicKeyHash(const std::string& request_pem);

}  // namespace gatehouse
