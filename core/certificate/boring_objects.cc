#include "core/certificate/boring_objects.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

#include <algorithm>

#include "core/tls/boring_context.h"
#include "core/tls/crypto.h"
#include "core/tls/pem_certificates.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxPemBytes = 1024 * 1024;
constexpr std::size_t kMaxNameTextBytes = 512;

bssl::UniquePtr<BIO> Reader(std::string_view text) {
  ERR_clear_error();
  const std::size_t size = std::min(text.size(), kMaxPemBytes);
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(size)));
}

bssl::UniquePtr<BIO> Writer() {
  return bssl::UniquePtr<BIO>(BIO_new(BIO_s_mem()));
}

std::string TextOf(BIO* memory) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(memory, &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

// A key behind a passphrase is an error, not a question on the terminal.
int NoPassphrase(char* /*to*/, int /*room*/, int /*writes*/, void* /*context*/) {
  return 0;
}

// I2d: what writes an object as DER, in BoringSSL's way.
template <class Object, class I2d>
std::string DerBy(I2d i2d, Object* object) {
  std::uint8_t* der = nullptr;
  const int size = i2d(object, &der);
  if (size < 0) return {};
  const bssl::UniquePtr<std::uint8_t> owned(der);
  return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
}

}  // namespace

std::unexpected<Error> CannotMake(const char* what) {
  return Trouble(std::string(what) + " cannot be made (" + TakeTlsReason() + ")");
}

Result<KeyObject> ReadKey(const std::string& pem) {
  const auto text = Reader(pem);
  KeyObject key(PEM_read_bio_PrivateKey(text.get(), nullptr, &NoPassphrase, nullptr));
  if (!key)
    return BadConfig("the private key cannot be read (" + TakeTlsReason() +
                     "); give one in PEM without a passphrase");
  return key;
}

Result<RequestObject> ReadRequest(const std::string& pem) {
  const auto text = Reader(pem);
  RequestObject request(PEM_read_bio_X509_REQ(text.get(), nullptr, nullptr, nullptr));
  if (!request)
    return BadConfig("the certificate request cannot be read (" + TakeTlsReason() +
                     "); give one in PEM");
  const KeyObject key(X509_REQ_get_pubkey(request.get()));
  const bool signed_by_it = key && X509_REQ_verify(request.get(), key.get()) == 1;
  ERR_clear_error();
  if (!signed_by_it)
    return BadConfig("the certificate request is not signed with its own key; make a new one");
  return request;
}

Result<std::vector<CertificateObject>> ReadCertificates(const std::string& pem) {
  PemCertificates read = ReadPemCertificates(std::string_view(pem).substr(0, kMaxPemBytes));
  if (!read.whole)
    return BadConfig("certificate " + std::to_string(read.all.size() + 1) +
                     " cannot be read; give all of them in PEM");
  if (read.all.empty()) return BadConfig("there is no certificate in PEM");
  return std::move(read.all);
}

CertificateObject ParseCertificate(std::string_view der) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(der.data());
  const auto* const end = at + der.size();
  CertificateObject certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (at != end) certificate.reset();
  return certificate;
}

std::string PemOf(X509* certificate) {
  const auto memory = Writer();
  PEM_write_bio_X509(memory.get(), certificate);
  return TextOf(memory.get());
}

std::string PemOf(X509_REQ* request) {
  const auto memory = Writer();
  PEM_write_bio_X509_REQ(memory.get(), request);
  return TextOf(memory.get());
}

std::string PemOf(EVP_PKEY* key) {
  const auto memory = Writer();  // BoringSSL wipes it
  PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(memory.get());
}

std::string DerOf(X509* certificate) {
  return DerBy(&i2d_X509, certificate);
}

std::string KeyHashOf(EVP_PKEY* key) {
  return Sha256(DerBy(&i2d_PUBKEY, key));
}

const EVP_MD* DigestFor(const EVP_PKEY* key) {
  if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) return nullptr;
  const bool large = EVP_PKEY_id(key) == EVP_PKEY_EC && EVP_PKEY_bits(key) > 256;
  return large ? EVP_sha384() : EVP_sha256();
}

std::string NameText(const X509_NAME* name) {
  const auto memory = Writer();
  constexpr unsigned long kUtf8 =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  X509_NAME_print_ex(memory.get(), name, 0, kUtf8);
  std::string text = TextOf(memory.get());
  if (text.size() > kMaxNameTextBytes) {
    std::size_t end = kMaxNameTextBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
  }
  return text;
}

std::int64_t UnixTimeOf(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int second = 0;
  if (ASN1_TIME_diff(&days, &second, epoch.get(), time) != 1) return 0;
  return std::int64_t{days} * 86400 + second;
}

}  // namespace gatehouse
