// One TLS session over memory: ciphertext in, ciphertext out. Owns no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tls/dane_verdict.h"
#include "core/tls/tls_context.h"

namespace gatehouse {

// The peer's leaf certificate, as far as anybody may consult it. Names only from subjectAltName,
// never the CN.
struct PeerCertificate {
  bool presented = false;
  bool chain_valid = false;             // to the context's anchors, times, EKU by 2.5
  std::string chain_error;              // why not, for the log and the operator
  bool revoked = false;                 // by its authority, which is why
  std::vector<std::string> dns_names;   // dNSName, as presented
  std::vector<std::string> srv_names;   // otherName 1.3.6.1.5.5.7.8.7
  std::vector<std::string> xmpp_addrs;  // otherName 1.3.6.1.5.5.7.8.5
  std::vector<std::string> uris;        // uniformResourceIdentifier
  std::string common_name;  // only where there is no SAN at all: for SIP (11.8), never for XMPP
  std::int64_t not_before_unix = 0;  // the latest of the chain
  std::int64_t not_after_unix = 0;   // the earliest of the chain
  std::string issuer;  // of the leaf, for the operator: whom it names, or their organisation
  std::string sha256;  // of the leaf, lower-case hex
};

class TlsSession {
 public:
  enum class Role { kServer, kClient };
  struct Events {
    // Ciphertext for the socket; called from Feed, Write, Handshake and Shutdown.
    std::function<void(std::string_view)> on_ciphertext;
    // Plaintext from the peer, any length.
    std::function<void(std::span<const std::byte>)> on_plaintext;
    std::function<void()> on_handshake_done;  // once
    std::function<void()> on_peer_closed;     // close_notify
  };
  // `server_name`: client: SNI to send (A-label). Server: the name SNI must match when sent; empty:
  // any.
  static Result<std::unique_ptr<TlsSession>> Create(std::shared_ptr<const TlsContext> context,
                                                    Role role, std::string_view server_name,
                                                    Events events);
  virtual ~TlsSession() = default;

  virtual Result<void> Start() = 0;  // client: sends the first flight
  // Takes ciphertext; the callbacks fire inside and may destroy the session. Fails with the alert's
  // words; the alert itself went to on_ciphertext.
  virtual Result<void> Feed(std::span<const std::byte> ciphertext) = 0;
  // Plaintext to send; one call makes as few records as possible (16 KiB each). Only after the
  // handshake.
  virtual Result<void> Write(std::string_view plaintext) = 0;
  virtual void Shutdown() = 0;  // sends close_notify

  [[nodiscard]] virtual bool handshake_done() const = 0;
  [[nodiscard]] virtual const PeerCertificate& peer() const = 0;  // after the handshake
  // The peer's chain judged now, against the anchors of `anchors_pem` in place of the context's
  // (2.5). Anchors that cannot be read make no chain valid.
  [[nodiscard]] virtual PeerCertificate JudgeAgainst(std::string_view anchors_pem) const = 0;
  // The peer's chain judged now by the anchors and revocation lists of another context, which holds
  // from then on; `peer` says what was found.
  virtual void JudgeBy(const std::shared_ptr<const TlsContext>& context) = 0;
  // The peer's chain judged by TLSA records; nothing matches where it has shown none.
  [[nodiscard]] virtual DaneVerdict JudgeByDane(const DaneQuestion& question) const = 0;
  // Client: the next handshake with this server name is a full one; tickets of this session are not
  // kept.
  virtual void ForgetTickets() = 0;
  // Client: a ticket was offered. Where the handshake then fails, none is the next time.
  [[nodiscard]] virtual bool offered_ticket() const = 0;
  [[nodiscard]] virtual bool resumed() const = 0;  // by a ticket
  // The alert by which the peer refused our certificate, during the handshake or (TLS 1.3) after
  // it: "unknown CA". Empty: it has not.
  [[nodiscard]] virtual std::string own_certificate_refusal() const = 0;
  // Server: the handshake failed because the peer showed no certificate.
  [[nodiscard]] virtual bool missed_certificate() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;  // "TLSv1.3"
  [[nodiscard]] virtual std::string cipher() const = 0;
  [[nodiscard]] virtual std::string alpn() const = 0;         // negotiated, or empty
  [[nodiscard]] virtual std::string server_name() const = 0;  // SNI as sent, or empty
};

// True where `peer` proves to be `domain` (A-label or U-label, prepared) as an XMPP server: SRV-ID,
// DNS-ID with the wildcard rule, XmppAddr; never the CN (2.5). Says nothing of chain_valid.
[[nodiscard]] bool MatchesXmppDomain(const PeerCertificate& peer, std::string_view domain);
// True where `peer` proves to be the SIP host `name`: sip URI host or DNS-ID equal, no wildcard;
// the CN only where there is no SAN at all (11.8; RFC 5922 §7.1, §7.2).
[[nodiscard]] bool MatchesSipName(const PeerCertificate& peer, std::string_view name);
// True where `peer` proves to be the HTTPS host `name` (A-label): DNS-ID with the wildcard rule,
// never the CN (RFC 9110 §4.3.4).
[[nodiscard]] bool MatchesHttpsHost(const PeerCertificate& peer, std::string_view name);

}  // namespace gatehouse
