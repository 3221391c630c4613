// The one kind of TlsContext there is. Only core/tls includes BoringSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "core/tls/own_certificate.h"
#include "core/tls/revocation_lists.h"
#include "core/tls/session_vault.h"
#include "core/tls/tls_context.h"
#include "core/tls/tls_files.h"
#include "core/tls/verdict_memory.h"

namespace gatehouse {

struct BoringCertificate final : OwnCertificate {
  std::vector<bssl::UniquePtr<X509>> chain;  // leaf first
  bssl::UniquePtr<EVP_PKEY> key;
};
// False: BoringSSL has noted why.
bool ShowCertificate(SSL_CTX* ctx, const BoringCertificate& certificate);

struct BoringContext final : TlsContext {
  [[nodiscard]] bool has_certificate() const override {
    return SSL_CTX_get0_certificate(ctx.get()) != nullptr;
  }
  Options options;
  bssl::UniquePtr<SSL_CTX> ctx;
  std::shared_ptr<const RevocationLists> revoked;  // null: none
  bssl::UniquePtr<BIO_METHOD> memory_bio;          // reads and writes in a session's memory
  std::unique_ptr<SessionVault> vault;             // null: no resumption
  std::unique_ptr<VerdictMemory> verdicts = std::make_unique<VerdictMemory>();
};

class TlsSession;
// As the peer sent it, leaf first; null: it showed none. Owned by the session.
[[nodiscard]] STACK_OF(X509) * ShownCertificates(const TlsSession& session);

// "NO_SHARED_CIPHER": the oldest reason BoringSSL noted in this thread; empties its list.
[[nodiscard]] std::string TakeTlsReason();

// Into a context that has none of them yet.
[[nodiscard]] Result<void, BadTlsFile> LoadTlsFiles(SSL_CTX* ctx, const TlsFiles& files);
[[nodiscard]] Result<std::shared_ptr<const RevocationLists>, BadTlsFile> LoadRevocationLists(
    const TlsFiles& files);

// What the callbacks of tls_session.cc do for the context.
int VerifyPeer(X509_STORE_CTX* store, void* argument) noexcept;
bool KeepsTickets(const SSL* ssl) noexcept;
int JudgeServerName(SSL* ssl, int* alert, void* argument) noexcept;
int BioRead(BIO* bio, char* to, int room) noexcept;
int BioWrite(BIO* bio, const char* from, int size) noexcept;
long BioControl(BIO* bio, int command, long number, void* pointer) noexcept;

}  // namespace gatehouse
