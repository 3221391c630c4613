#include "core/tls/own_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include "core/tls/boring_context.h"
#include "core/tls/pem_certificates.h"

namespace gatehouse {
namespace {

// A key behind a pass phrase is an error, not a question on the terminal.
int NoPassPhrase(char* /*to*/, int /*room*/, int /*writes*/, void* /*context*/) {
  return 0;
}

bssl::UniquePtr<BIO> Reader(const std::string& pem) {
  ERR_clear_error();
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

}  // namespace

Result<std::shared_ptr<const OwnCertificate>> OwnCertificate::Parse(const std::string& chain_pem,
                                                                    const std::string& key_pem) {
  auto certificate = std::make_shared<BoringCertificate>();
  PemCertificates read = ReadPemCertificates(chain_pem);
  if (!read.whole || read.all.empty())
    return BadConfig("tls: the certificate chain cannot be read");
  certificate->chain = std::move(read.all);
  const auto key = Reader(key_pem);
  certificate->key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, &NoPassPhrase, nullptr));
  if (!certificate->key)
    return BadConfig("tls: the private key cannot be read (" + TakeTlsReason() + ")");
  if (X509_check_private_key(certificate->chain.front().get(), certificate->key.get()) != 1) {
    ERR_clear_error();
    return BadConfig("tls: the private key does not belong to the certificate");
  }
  return certificate;
}

bool ShowCertificate(SSL_CTX* ctx, const BoringCertificate& certificate) {
  SSL_CTX_clear_chain_certs(ctx);
  if (SSL_CTX_use_certificate(ctx, certificate.chain.front().get()) != 1) return false;
  for (std::size_t i = 1; i < certificate.chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(ctx, certificate.chain[i].get()) != 1) return false;
  return SSL_CTX_use_PrivateKey(ctx, certificate.key.get()) == 1;
}

void Wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace gatehouse
