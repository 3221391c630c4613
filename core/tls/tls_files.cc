#include "core/tls/tls_files.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/tls/boring_context.h"
#include "core/tls/certificate_names.h"
#include "core/tls/revocation_check.h"

namespace gatehouse {
namespace {

using Which = BadTlsFile::Which;

constexpr const char* kSystemTrust = "/etc/ssl/certs/ca-certificates.crt";

std::unexpected<BadTlsFile> Bad(Which which, const std::string& file, std::string problem) {
  return std::unexpected(BadTlsFile{which, file, std::move(problem)});
}

Result<void, BadTlsFile> CheckReadable(Which which, const std::string& file) {
  if (access(file.c_str(), R_OK) == 0) return {};
  return Bad(which, file, std::string("cannot be read: ") + std::strerror(errno));
}

Result<void, BadTlsFile> LoadOurCertificate(SSL_CTX* ctx, const TlsFiles& files) {
  if (files.chain_file.empty()) return {};
  GATEHOUSE_TRY_VOID(CheckReadable(Which::kChain, files.chain_file));
  GATEHOUSE_TRY_VOID(CheckReadable(Which::kKey, files.key_file));
  // A key behind a pass phrase is an error, not a question on the terminal.
  SSL_CTX_set_default_passwd_cb(ctx, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(ctx, files.chain_file.c_str()) != 1) {
    const std::string why = TakeTlsReason();
    const bool none = why == "NO_START_LINE";
    return Bad(Which::kChain, files.chain_file,
               none ? "holds no PEM certificate" : "cannot be used (" + why + ")");
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, files.key_file.c_str(), SSL_FILETYPE_PEM) == 1) return {};
  const std::string reason = TakeTlsReason();
  if (reason == "KEY_VALUES_MISMATCH" || reason == "KEY_TYPE_MISMATCH")
    return Bad(Which::kKey, files.key_file,
               "does not belong to the certificate in '" + files.chain_file + "'");
  return Bad(Which::kKey, files.key_file,
             "holds no PEM private key without a pass phrase (" + reason + ")");
}

Result<void, BadTlsFile> LoadTrust(SSL_CTX* ctx, const std::string& trust) {
  const bool system = trust.empty() || trust == "system";
  const std::string file = system ? kSystemTrust : trust;
  GATEHOUSE_TRY_VOID(CheckReadable(Which::kTrust, file));
  if (SSL_CTX_load_verify_locations(ctx, file.c_str(), nullptr) != 1)
    return Bad(Which::kTrust, file, "holds no PEM certificate (" + TakeTlsReason() + ")");
  // Pinned anchors need not be roots.
  if (!system) X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

}  // namespace

Result<void, BadTlsFile> LoadTlsFiles(SSL_CTX* ctx, const TlsFiles& files) {
  ERR_clear_error();
  GATEHOUSE_TRY_VOID(LoadOurCertificate(ctx, files));
  return LoadTrust(ctx, files.trust);
}

Result<std::shared_ptr<const RevocationLists>, BadTlsFile> LoadRevocationLists(
    const TlsFiles& files) {
  auto lists = RevocationLists::Read(files.crl_file);
  if (!lists) return Bad(Which::kRevoked, files.crl_file, lists.error().text);
  return *std::move(lists);
}

Result<ListSigners, BadTlsFile> CheckListSigners(const TlsFiles& files) {
  GATEHOUSE_TRY(const auto lists, LoadRevocationLists(files));
  if (lists == nullptr) return ListSigners{};
  const bssl::UniquePtr<SSL_CTX> ctx(SSL_CTX_new(TLS_method()));
  if (!ctx) return Bad(Which::kTrust, files.trust, "cannot be checked: " + TakeTlsReason());
  ERR_clear_error();
  GATEHOUSE_TRY_VOID(LoadTrust(ctx.get(), files.trust));
  return SignersOf(*lists, SSL_CTX_get_cert_store(ctx.get()));
}

Result<PeerCertificate, BadTlsFile> CheckTlsFiles(const TlsFiles& files) {
  const bssl::UniquePtr<SSL_CTX> ctx(SSL_CTX_new(TLS_method()));
  if (!ctx) return Bad(Which::kChain, files.chain_file, "cannot be checked: " + TakeTlsReason());
  GATEHOUSE_TRY_VOID(LoadTlsFiles(ctx.get(), files));
  GATEHOUSE_TRY_VOID(LoadRevocationLists(files));
  PeerCertificate ours;
  // Without names there is nothing to match: whoever asks sees that.
  if (X509* const leaf = SSL_CTX_get0_certificate(ctx.get()); leaf != nullptr)
    static_cast<void>(ReadNames(leaf, ours));
  return ours;
}

}  // namespace gatehouse
