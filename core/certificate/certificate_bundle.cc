#include "core/certificate/certificate_bundle.h"

#include <openssl/bytestring.h>
#include <openssl/cipher.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/pkcs8.h>

#include <algorithm>
#include <array>

#include "core/certificate/boring_objects.h"
#include "core/certificate/derivation_rounds.h"
#include "core/tls/boring_context.h"

namespace gatehouse {
namespace {

using Certificates = bssl::UniquePtr<STACK_OF(X509)>;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kUtf16 = "\xFF\xFE";  // what PowerShell's '>' writes
constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::array<std::string_view, 3> kCertificateLabels = {"CERTIFICATE", "X509 CERTIFICATE",
                                                                "TRUSTED CERTIFICATE"};
constexpr std::array<std::string_view, 2> kPkcs7Labels = {"PKCS7", "CMS"};
constexpr std::string_view kEncryptedKeyLabel = "ENCRYPTED PRIVATE KEY";
constexpr const char* kUnknown =
    "is none of the forms that are read; give PEM, DER, PKCS #12 (.p12, .pfx) or PKCS #7 (.p7b)";

CBS Octets(std::string_view der) {
  CBS octets;
  CBS_init(&octets, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  return octets;
}

std::unexpected<Error> NotOpened(std::string_view what, const std::string& passphrase) {
  const std::string reason = TakeTlsReason();
  if (reason.starts_with("UNSUPPORTED") || reason.starts_with("UNKNOWN"))
    return BadConfig(std::string(what) + " is encrypted in a way that is not read (" + reason +
                     "); have it written with AES-256 and SHA-256");
  if (passphrase.empty())
    return BadConfig(std::string(what) +
                     " is protected by a passphrase and none was given; give --passphrase-file");
  return BadConfig("the passphrase does not open " + std::string(what) +
                   "; give the one it was written with");
}

Result<void> Add(X509* certificate, CertificateBundle& bundle) {
  if (bundle.certificates.size() == kMaxBundleCertificates)
    return BadConfig("more than " + std::to_string(kMaxBundleCertificates) +
                     " certificates; give the chain only");
  bundle.certificates.push_back(DerOf(certificate));
  return {};
}

Result<void> Add(const STACK_OF(X509) * certificates, CertificateBundle& bundle) {
  for (X509* certificate : certificates) GATEHOUSE_TRY_VOID(Add(certificate, bundle));
  return {};
}

void Add(EVP_PKEY* key, CertificateBundle& bundle) {
  std::string pem = PemOf(key);
  if (std::ranges::find(bundle.keys, pem) == bundle.keys.end())
    bundle.keys.push_back(std::move(pem));
}

// --- what may stand in DER; each gives whether it was that
bool IsCertificate(std::string_view der) {
  return ParseCertificate(der) != nullptr;
}

// PKCS #8, or what came before it for RSA and EC.
KeyObject ParseKey(std::string_view der) {
  CBS octets = Octets(der);
  KeyObject key(EVP_parse_private_key(&octets));
  if (!key) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(der.data());
    key.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  }
  ERR_clear_error();
  return key;
}

Result<bool> TakePkcs7(std::string_view der, CertificateBundle& bundle) {
  const Certificates certificates(sk_X509_new_null());
  CBS octets = Octets(der);
  const bool read = PKCS7_get_certificates(certificates.get(), &octets) == 1;
  ERR_clear_error();
  if (!read) return false;
  GATEHOUSE_TRY_VOID(Add(certificates.get(), bundle));
  return true;
}

// PFX ::= SEQUENCE { version INTEGER {v3(3)}, ... }; RFC 7292 §4. Old Windows writes it in BER,
// with an indefinite length.
bool LooksLikePkcs12(std::string_view der) {
  constexpr std::string_view kIndefinite = "\x30\x80";
  constexpr std::string_view kVersion = "\x02\x01\x03";
  if (der.starts_with(kIndefinite)) return der.substr(kIndefinite.size()).starts_with(kVersion);
  CBS octets = Octets(der);
  CBS pfx;
  std::uint64_t version = 0;
  return CBS_get_asn1(&octets, &pfx, CBS_ASN1_SEQUENCE) == 1 &&
         CBS_get_asn1_uint64(&pfx, &version) == 1 && version == 3;
}

Result<void> TakePkcs12(std::string_view der, const std::string& passphrase,
                        CertificateBundle& bundle) {
  // "No passphrase" and "an empty one" are two things there.
  for (const char* word : {passphrase.c_str(), static_cast<const char*>(nullptr)}) {
    if (word == nullptr && !passphrase.empty()) break;
    const Certificates certificates(sk_X509_new_null());
    CBS octets = Octets(der);
    EVP_PKEY* found = nullptr;
    ERR_clear_error();
    if (PKCS12_get_key_and_certs(&found, certificates.get(), &octets, word) != 1) continue;
    const KeyObject key(found);
    if (key) Add(key.get(), bundle);
    return Add(certificates.get(), bundle);
  }
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PKCS8 &&
      (reason == PKCS8_R_BAD_PKCS12_DATA || reason == PKCS8_R_BAD_PKCS12_VERSION ||
       reason == PKCS8_R_MISSING_MAC || reason == PKCS8_R_MULTIPLE_PRIVATE_KEYS_IN_PKCS12))
    return BadConfig("the PKCS #12 file cannot be read (" + TakeTlsReason() +
                     "); have it written anew, with one key");
  return NotOpened("the PKCS #12 file", passphrase);
}

// EncryptedPrivateKeyInfo, RFC 5958.
Result<void> TakeEncryptedKey(std::string_view der, const std::string& passphrase,
                              CertificateBundle& bundle) {
  CBS octets = Octets(der);
  ERR_clear_error();
  const KeyObject key(
      PKCS8_parse_encrypted_private_key(&octets, passphrase.data(), passphrase.size()));
  if (!key) return NotOpened("the private key", passphrase);
  Add(key.get(), bundle);
  return {};
}

// SEQUENCE { AlgorithmIdentifier SEQUENCE { OBJECT IDENTIFIER ... }, OCTET STRING }
bool LooksLikeEncryptedKey(std::string_view der) {
  CBS octets = Octets(der);
  CBS whole;
  CBS algorithm;
  return CBS_get_asn1(&octets, &whole, CBS_ASN1_SEQUENCE) == 1 && CBS_len(&octets) == 0 &&
         CBS_get_asn1(&whole, &algorithm, CBS_ASN1_SEQUENCE) == 1 &&
         CBS_peek_asn1_tag(&algorithm, CBS_ASN1_OBJECT) == 1 &&
         CBS_peek_asn1_tag(&whole, CBS_ASN1_OCTETSTRING) == 1;
}

// Nothing of this process goes on while a passphrase is tried.
Result<void> CheckRounds(std::uint64_t rounds) {
  if (rounds <= kMaxDerivationRounds) return {};
  return BadConfig("its passphrase is to be derived in more than " +
                   std::to_string(kMaxDerivationRounds) +
                   " rounds; have it written with fewer, 600000 are usual");
}

Result<void> TakeDer(std::string_view der, const std::string& passphrase,
                     CertificateBundle& bundle) {
  if (IsCertificate(der)) return Add(ParseCertificate(der).get(), bundle);
  if (const KeyObject key = ParseKey(der)) return Add(key.get(), bundle), Result<void>();
  GATEHOUSE_TRY_VOID(CheckRounds(DerivationRounds(der)));
  if (LooksLikePkcs12(der)) return TakePkcs12(der, passphrase, bundle);
  GATEHOUSE_TRY(const bool taken, TakePkcs7(der, bundle));
  if (taken) return {};
  if (LooksLikeEncryptedKey(der)) return TakeEncryptedKey(der, passphrase, bundle);
  return BadConfig(kUnknown);
}

// --- PEM
// One part of a PEM text, as BoringSSL reads it. Its memory is wiped when it goes.
struct PemPart {
  bssl::UniquePtr<char> label;
  bssl::UniquePtr<char> header;
  bssl::UniquePtr<std::uint8_t> bytes;
  long size = 0;

  [[nodiscard]] std::string_view der() const {
    return {reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size)};
  }
};

bool ReadPart(BIO* text, PemPart& part) {
  char* label = nullptr;
  char* header = nullptr;
  std::uint8_t* bytes = nullptr;
  if (PEM_read_bio(text, &label, &header, &bytes, &part.size) != 1) return false;
  part.label.reset(label);
  part.header.reset(header);
  part.bytes.reset(bytes);
  return true;
}

int GivePassphrase(char* to, int room, int /*writes*/, void* context) noexcept {
  const auto& passphrase = *static_cast<const std::string*>(context);
  if (passphrase.empty() || passphrase.size() > static_cast<std::size_t>(room)) return 0;
  std::ranges::copy(passphrase, to);  // counted, not ended by a NUL
  return static_cast<int>(passphrase.size());
}

// "Proc-Type: 4,ENCRYPTED", as OpenSSL wrote keys before PKCS #8.
Result<void> DecryptOldKey(PemPart& part, std::string passphrase) {
  EVP_CIPHER_INFO cipher;
  ERR_clear_error();
  if (PEM_get_EVP_CIPHER_INFO(part.header.get(), &cipher) == 1 &&
      PEM_do_header(&cipher, part.bytes.get(), &part.size, &GivePassphrase, &passphrase) == 1)
    return {};
  return NotOpened("the private key", passphrase);
}

Result<void> TakeKeyPart(PemPart& part, const std::string& passphrase, CertificateBundle& bundle) {
  const bool encrypted = *part.header != '\0';
  if (encrypted) GATEHOUSE_TRY_VOID(DecryptOldKey(part, passphrase));
  const KeyObject key = ParseKey(part.der());
  if (key) return Add(key.get(), bundle), Result<void>();
  if (encrypted) return NotOpened("the private key", passphrase);
  return BadConfig("a private key in it cannot be read; have it written anew");
}

Result<void> TakePart(PemPart& part, const std::string& passphrase, CertificateBundle& bundle) {
  const std::string_view label = part.label.get();
  if (std::ranges::find(kCertificateLabels, label) != kCertificateLabels.end()) {
    const auto* at = part.bytes.get();
    const CertificateObject certificate(d2i_X509_AUX(nullptr, &at, part.size));
    ERR_clear_error();
    if (certificate) return Add(certificate.get(), bundle);
    return BadConfig("certificate " + std::to_string(bundle.certificates.size() + 1) +
                     " in it cannot be read; have it written anew");
  }
  if (std::ranges::find(kPkcs7Labels, label) != kPkcs7Labels.end()) {
    GATEHOUSE_TRY(const bool taken, TakePkcs7(part.der(), bundle));
    if (taken) return {};
    return BadConfig("the PKCS #7 part in it cannot be read; have it written anew");
  }
  if (label == kEncryptedKeyLabel) return TakeEncryptedKey(part.der(), passphrase, bundle);
  if (label.ends_with("PRIVATE KEY")) return TakeKeyPart(part, passphrase, bundle);
  return {};  // parameters, requests, lists of revoked ones
}

Result<void> TakePem(std::string_view text, const std::string& passphrase,
                     CertificateBundle& bundle) {
  const bssl::UniquePtr<BIO> reader(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  ERR_clear_error();
  std::uint64_t rounds = 0;
  for (PemPart part; ReadPart(reader.get(), part); part = {}) {
    if (std::string_view(part.label.get()) == kEncryptedKeyLabel)
      GATEHOUSE_TRY_VOID(CheckRounds(rounds += DerivationRounds(part.der())));
    GATEHOUSE_TRY_VOID(TakePart(part, passphrase, bundle));
    ERR_clear_error();
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeTlsReason();
  if (!at_end)
    return BadConfig("its PEM text is damaged (" + reason + "); copy the file once more");
  if (bundle.certificates.empty() && bundle.keys.empty())
    return BadConfig("holds neither a certificate nor a private key");
  return {};
}

}  // namespace

Result<CertificateBundle> ReadCertificateBundle(std::string_view content,
                                                const std::string& passphrase) {
  if (content.size() > kMaxBundleBytes)
    return BadConfig("has more than " + std::to_string(kMaxBundleBytes) +
                     " octets; give the chain only");
  if (content.empty()) return BadConfig("is empty");
  if (passphrase.find('\0') != std::string::npos)
    return BadConfig("a passphrase cannot have a NUL in it");
  if (content.starts_with(kUtf16))
    return BadConfig("is a text in UTF-16; save it as ASCII or UTF-8");
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  CertificateBundle bundle;
  const bool pem = content.find(kPemBegin) != std::string_view::npos;
  GATEHOUSE_TRY_VOID(pem ? TakePem(content, passphrase, bundle)
                         : TakeDer(content, passphrase, bundle));
  return bundle;
}

}  // namespace gatehouse
