#include "core/tls/own_chain.h"

#include <openssl/mem.h>
#include <openssl/x509.h>

#include <utility>
#include <vector>

#include "core/tls/crypto.h"
#include "core/tls/dane_judge.h"
#include "core/tls/pem_certificates.h"

namespace gatehouse {
namespace {

Result<bssl::UniquePtr<STACK_OF(X509)>> ReadChain(std::string_view pem) {
  bssl::UniquePtr<STACK_OF(X509)> chain(sk_X509_new_null());
  for (auto& each : ReadPemCertificates(pem).all) bssl::PushToStack(chain.get(), std::move(each));
  if (sk_X509_num(chain.get()) == 0) return BadConfig("no PEM certificate");
  return chain;
}

}  // namespace

Result<TlsaRecord> TlsaOfOwnChain(std::string_view chain_pem) {
  GATEHOUSE_TRY(const auto chain, ReadChain(chain_pem));
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(sk_X509_value(chain.get(), 0)), &der);
  if (size < 0) return BadConfig("a certificate whose key cannot be read");
  const bssl::UniquePtr<std::uint8_t> owned(der);
  return TlsaRecord{TlsaRecord::kDaneEe, TlsaRecord::kPublicKey, TlsaRecord::kSha256,
                    Sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)})};
}

Result<DaneVerdict> JudgeOwnChain(std::string_view chain_pem, const DaneQuestion& question) {
  GATEHOUSE_TRY(const auto chain, ReadChain(chain_pem));
  std::vector<TlsaRecord> records(question.records.begin(), question.records.end());
  for (TlsaRecord& record : records) {
    if (record.usage == TlsaRecord::kPkixEe) record.usage = TlsaRecord::kDaneEe;
    if (record.usage == TlsaRecord::kPkixTa) record.usage = TlsaRecord::kDaneTa;
  }
  const DaneQuestion by_dane{records, {}, question.domain, question.target};
  const bssl::UniquePtr<X509_STORE> nobody(X509_STORE_new());
  return JudgeByTlsa(chain.get(), nobody.get(), by_dane, {});
}

}  // namespace gatehouse
