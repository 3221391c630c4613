#include "core/tls/certificate_authority.h"

#include <openssl/bio.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>

#include "core/tls/boring_context.h"

namespace gatehouse {
namespace {

using Key = bssl::UniquePtr<EVP_PKEY>;
using Certificate = bssl::UniquePtr<X509>;

constexpr long kDay = 86400;

std::unexpected<Error> Failed(const char* what) {
  return Trouble(std::string("certificate authority: ") + what + " (" + TakeTlsReason() + ")");
}

Result<Key> MakeKey() {
  const bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  Key key(EVP_PKEY_new());
  if (!ec || !key || EC_KEY_generate_key(ec.get()) != 1 ||
      EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) != 1)
    return Failed("no key could be made");
  return key;
}

bool AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// With everything but extensions, issuer and signature.
Result<Certificate> BeginCertificate(const std::string& common_name, EVP_PKEY* key, int days) {
  Certificate certificate(X509_new());
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<std::uint8_t*>(&serial), sizeof serial);
  const auto* name = reinterpret_cast<const std::uint8_t*>(common_name.c_str());
  const bool made =
      certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1U) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay) != nullptr &&
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                 name, -1, -1, 0) == 1 &&
      X509_set_pubkey(certificate.get(), key) == 1;
  if (!made) return Failed("no certificate could be made");
  return certificate;
}

bool Sign(X509* certificate, const X509* issuer, EVP_PKEY* issuer_key) {
  return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
}

std::string TextOf(BIO* memory) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(memory, &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string PemOf(X509* certificate) {
  const bssl::UniquePtr<BIO> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate);
  return TextOf(memory.get());
}

std::string PemOf(EVP_PKEY* key) {
  const bssl::UniquePtr<BIO> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(memory.get());
}

bool IsDnsName(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '*';
  });
}

class P256Authority final : public CertificateAuthority {
 public:
  P256Authority(Key key, Certificate certificate)
      : key_(std::move(key)),
        certificate_(std::move(certificate)),
        pem_(PemOf(certificate_.get())) {}

  Result<IssuedCertificate> Issue(std::span<const std::string> dns_names, int days) override {
    std::string alternative_names;
    for (const std::string& name : dns_names) {
      if (!IsDnsName(name)) return BadConfig("'" + name + "' is no dNSName");
      alternative_names += (alternative_names.empty() ? "DNS:" : ",DNS:") + name;
    }
    if (alternative_names.empty()) return BadConfig("a certificate needs a name");
    GATEHOUSE_TRY(const Key key, MakeKey());
    GATEHOUSE_TRY(const Certificate leaf, BeginCertificate(dns_names.front(), key.get(), days));
    const bool made = AddExtension(leaf.get(), NID_subject_alt_name, alternative_names) &&
                      AddExtension(leaf.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                      AddExtension(leaf.get(), NID_key_usage, "digitalSignature") &&
                      AddExtension(leaf.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
                      Sign(leaf.get(), certificate_.get(), key_.get());
    if (!made) return Failed("no certificate could be signed");
    return IssuedCertificate{PemOf(leaf.get()), PemOf(key.get())};
  }
  [[nodiscard]] const std::string& root() const override { return pem_; }

 private:
  Key key_;
  Certificate certificate_;
  std::string pem_;
};

}  // namespace

Result<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Create(
    const std::string& common_name, int days) {
  GATEHOUSE_TRY(Key key, MakeKey());
  GATEHOUSE_TRY(Certificate root, BeginCertificate(common_name, key.get(), days));
  const bool made = AddExtension(root.get(), NID_basic_constraints, "critical,CA:TRUE") &&
                    AddExtension(root.get(), NID_key_usage, "keyCertSign,cRLSign") &&
                    Sign(root.get(), root.get(), key.get());
  if (!made) return Failed("no root could be signed");
  return std::make_unique<P256Authority>(std::move(key), std::move(root));
}

}  // namespace gatehouse
