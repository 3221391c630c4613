#include "core/tls/pem_certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace gatehouse {
namespace {

// One behind a pass phrase is an error, not a question on the terminal.
int NoQuestion(char* /*to*/, int /*room*/, int /*writes*/, void* /*context*/) {
  return 0;
}

}  // namespace

PemCertificates ReadPemCertificates(std::string_view pem) {
  const bssl::UniquePtr<BIO> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  ERR_clear_error();
  PemCertificates read;
  while (X509* next = PEM_read_bio_X509(text.get(), nullptr, &NoQuestion, nullptr))
    read.all.emplace_back(next);
  read.whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return read;
}

}  // namespace gatehouse
