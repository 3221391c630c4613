// What many TLS sessions share: our chain and key, the trust anchors, the versions and suites
// of 2.4.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

class OwnCertificate;

struct TlsFiles {
  std::string chain_file;  // PEM, leaf first; may be empty for a client that shows no certificate
  std::string key_file;    // PEM
  std::string trust;       // "system", "" (= system) or a PEM file of anchors
  std::string crl_file = {};  // PEM, revocation lists of any authorities; empty: none
};

// TLS 1.3 and 1.2 only, AEAD with forward secrecy, no renegotiation, no compression, no early data
// (2.4). The peer's certificate is always requested and verified; the handshake does not fail over
// it, the result is recorded in the session for the caller to judge (2.4 no. 6), unless
// `require_peer_certificate`.
class TlsContext {
 public:
  struct Options {
    bool require_peer_certificate =
        false;  // SIP mutual TLS: handshake fails without a valid chain (11.8)
    // Offer and take tickets, each once and for its server name only, for an hour. A session that
    // is resumed judges its peer's certificate anew. Not with `require_peer_certificate`.
    bool resume_sessions = false;
    std::string alpn = {};  // "xmpp-server" for direct TLS; empty: none
    // Direct TLS, server: SNI must be sent and name one of these (A-labels), else alert
    // unrecognized_name (2.15). Empty: no such rule.
    std::vector<std::string> required_server_names = {};
  };
  // Fails with one line naming the file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> Create(const TlsFiles& files, Options options);
  static Result<std::shared_ptr<const TlsContext>> Create(const TlsFiles& files) {
    return Create(files, Options{});
  }
  // The rules and trust anchors of `rules` with a certificate that was read already. Opens no file.
  // Sessions of other contexts are not resumed in it, nor its own in others.
  //   fails  kTrouble: BoringSSL does not take the certificate
  static Result<std::shared_ptr<const TlsContext>> Like(const TlsContext& rules,
                                                        const OwnCertificate& certificate);
  // Without one it can be a client only.
  [[nodiscard]] virtual bool has_certificate() const = 0;
  virtual ~TlsContext() = default;
};

}  // namespace gatehouse
