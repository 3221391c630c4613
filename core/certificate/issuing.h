// Certificates for a laboratory: signed at once, by their own key or by a CA whose key is at hand.
#pragma once

#include <string>

#include "core/base/result.h"

namespace gatehouse {

// The certificate that was asked for, signed with its own key; PEM. Valid for `days` from an hour
// ago on.
//   fails  kConfig: request or key cannot be read, or do not belong together
Result<std::string> SelfSign(const std::string& request_pem, const std::string& key_pem, int days);
// The same, signed by a CA; PEM: the certificate, then all of `ca_pem` (the CA first, and what is
// above it). Ends no later than the CA does.
//   fails  kConfig: besides, the CA is none, has expired, or its key is another's
Result<std::string> IssueBy(const std::string& ca_pem, const std::string& ca_key_pem,
                            const std::string& request_pem, int days);

}  // namespace gatehouse
