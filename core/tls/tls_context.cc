#include "core/tls/tls_context.h"

#include <openssl/err.h>

#include <array>
#include <string_view>
#include <utility>

#include "core/tls/boring_context.h"

namespace gatehouse {
namespace {

// TLS 1.2: AEAD with forward secrecy. TLS 1.3 has nothing else (7590 §3; RFC 9325).
constexpr const char* kSuites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::array<std::uint16_t, 9> kSignatures = {SSL_SIGN_ED25519,
                                                      SSL_SIGN_ECDSA_SECP256R1_SHA256,
                                                      SSL_SIGN_ECDSA_SECP384R1_SHA384,
                                                      SSL_SIGN_RSA_PSS_RSAE_SHA256,
                                                      SSL_SIGN_RSA_PSS_RSAE_SHA384,
                                                      SSL_SIGN_RSA_PSS_RSAE_SHA512,
                                                      SSL_SIGN_RSA_PKCS1_SHA256,
                                                      SSL_SIGN_RSA_PKCS1_SHA384,
                                                      SSL_SIGN_RSA_PKCS1_SHA512};

std::unexpected<Error> Refuse(const BadTlsFile& bad) {
  using Which = BadTlsFile::Which;
  const std::string_view what = bad.which == Which::kChain   ? "certificate chain"
                                : bad.which == Which::kKey   ? "private key"
                                : bad.which == Which::kTrust ? "trust anchors"
                                                             : "revocation lists";
  return BadConfig("tls: " + std::string(what) + " '" + bad.file + "': " + bad.problem);
}

bool SetRules(SSL_CTX* ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_strict_cipher_list(ctx, kSuites) == 1 &&
         SSL_CTX_set1_curves_list(ctx, kGroups) == 1 &&
         SSL_CTX_set_verify_algorithm_prefs(ctx, kSignatures.data(), kSignatures.size()) == 1 &&
         SSL_CTX_set_signing_algorithm_prefs(ctx, kSignatures.data(), kSignatures.size()) == 1;
}

// Server: a client that offers protocols must offer ours (2.15).
int SelectProtocol(SSL* /*ssl*/, const std::uint8_t** chosen, std::uint8_t* chosen_size,
                   const std::uint8_t* offered, unsigned offered_size, void* argument) noexcept {
  const std::string& ours = static_cast<const BoringContext*>(argument)->options.alpn;
  std::string_view rest(reinterpret_cast<const char*>(offered), offered_size);
  while (!rest.empty()) {  // BoringSSL has checked the lengths
    const auto size = static_cast<std::uint8_t>(rest.front());
    const std::string_view name = rest.substr(1, size);
    if (name == ours) {
      *chosen = reinterpret_cast<const std::uint8_t*>(name.data());
      *chosen_size = size;
      return SSL_TLSEXT_ERR_OK;
    }
    rest.remove_prefix(std::size_t{1} + size);
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void SetProtocol(BoringContext& context) {
  const std::string& alpn = context.options.alpn;
  if (alpn.empty()) return;
  const std::string wire = static_cast<char>(alpn.size()) + alpn;
  SSL_CTX_set_alpn_protos(context.ctx.get(), reinterpret_cast<const std::uint8_t*>(wire.data()),
                          static_cast<unsigned>(wire.size()));
  SSL_CTX_set_alpn_select_cb(context.ctx.get(), &SelectProtocol, &context);
}

void SetCallbacks(BoringContext& context) {
  const int required =
      context.options.require_peer_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context.ctx.get(), SSL_VERIFY_PEER | required, nullptr);
  SSL_CTX_set_cert_verify_callback(context.ctx.get(), &VerifyPeer, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context.ctx.get(), &JudgeServerName);
  context.memory_bio.reset(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "gatehouse session"));
  BIO_meth_set_read(context.memory_bio.get(), &BioRead);
  BIO_meth_set_write(context.memory_bio.get(), &BioWrite);
  BIO_meth_set_ctrl(context.memory_bio.get(), &BioControl);
}

// All but the certificate and the trust anchors.
Result<std::shared_ptr<BoringContext>> Begin(TlsContext::Options options) {
  auto context = std::make_shared<BoringContext>();
  context->options = std::move(options);
  context->ctx.reset(SSL_CTX_new(TLS_method()));
  ERR_clear_error();
  if (!context->ctx || !SetRules(context->ctx.get()))
    return Trouble("tls: BoringSSL refuses our rules: " + TakeTlsReason());
  SetProtocol(*context);
  SetCallbacks(*context);
  if (context->options.resume_sessions && !context->options.require_peer_certificate) {
    context->vault = std::make_unique<SessionVault>();
    SSL_CTX_set_app_data(context->ctx.get(), context.get());
    EnableResumption(context->ctx.get());
  }
  return context;
}

}  // namespace

std::string TakeTlsReason() {
  const std::uint32_t code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Create(const TlsFiles& files,
                                                             Options options) {
  GATEHOUSE_TRY(std::shared_ptr<BoringContext> context, Begin(std::move(options)));
  if (const auto loaded = LoadTlsFiles(context->ctx.get(), files); !loaded)
    return Refuse(loaded.error());
  auto revoked = LoadRevocationLists(files);
  if (!revoked) return Refuse(revoked.error());
  context->revoked = *std::move(revoked);
  return context;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Like(const TlsContext& rules,
                                                           const OwnCertificate& certificate) {
  const auto& like = static_cast<const BoringContext&>(rules);
  GATEHOUSE_TRY(std::shared_ptr<BoringContext> context, Begin(like.options));
  X509_STORE* const anchors = SSL_CTX_get_cert_store(like.ctx.get());
  X509_STORE_up_ref(anchors);
  SSL_CTX_set_cert_store(context->ctx.get(), anchors);
  context->revoked = like.revoked;
  if (!ShowCertificate(context->ctx.get(), static_cast<const BoringCertificate&>(certificate)))
    return Trouble("tls: BoringSSL does not take our certificate: " + TakeTlsReason());
  return context;
}

}  // namespace gatehouse
