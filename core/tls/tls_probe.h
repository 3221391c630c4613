// What only somebody who tests a connection wants to know of its handshake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tls/tls_session.h"

namespace gatehouse {

// One certificate of a chain, for the operator.
struct ShownCertificate {
  std::string subject;  // whom it names, or their organisation; may be empty
  std::string issuer;
  std::int64_t days_left = 0;  // below zero: since it ended
};

// As the peer sent it, leaf first; at most 10. Empty: it showed none.
[[nodiscard]] std::vector<ShownCertificate> ShownChain(const TlsSession& session);
// "partner.example" by "Example CA", 41 days left <- "Example CA" by …
[[nodiscard]] std::string ShownChainText(const TlsSession& session);
// Client: the server asked for our certificate.
[[nodiscard]] bool AskedForCertificate(const TlsSession& session);

}  // namespace gatehouse
