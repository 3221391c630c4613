#include "tests/fakes/certificate_maker.h"

#include <openssl/bn.h>
#include <openssl/curve25519.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "core/base/result.h"

namespace gatehouse {
namespace {

using Key = bssl::UniquePtr<EVP_PKEY>;
using Certificate = bssl::UniquePtr<X509>;

Key RsaKey(int bits) {
  const bssl::UniquePtr<BIGNUM> exponent(BN_new());
  BN_set_word(exponent.get(), RSA_F4);
  bssl::UniquePtr<RSA> rsa(RSA_new());
  GATEHOUSE_CHECK(RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) == 1);
  Key key(EVP_PKEY_new());
  EVP_PKEY_set1_RSA(key.get(), rsa.get());
  return key;
}

Key EcKey(int curve) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  GATEHOUSE_CHECK(EC_KEY_generate_key(ec.get()) == 1);
  Key key(EVP_PKEY_new());
  EVP_PKEY_set1_EC_KEY(key.get(), ec.get());
  return key;
}

Key Ed25519Key() {
  std::array<std::uint8_t, 32> seed{};
  RAND_bytes(seed.data(), seed.size());
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

Key MakeKey(TestKey kind) {
  switch (kind) {
    case TestKey::kP256:
      return EcKey(NID_X9_62_prime256v1);
    case TestKey::kP384:
      return EcKey(NID_secp384r1);
    case TestKey::kP521:
      return EcKey(NID_secp521r1);
    case TestKey::kEd25519:
      return Ed25519Key();
    case TestKey::kRsa1024:
      return RsaKey(1024);
    case TestKey::kRsa2048:
      return RsaKey(2048);
  }
  std::abort();
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  GATEHOUSE_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension.get(), -1);
}

// Takes any octets, as hostile certificates do.
void AddText(GENERAL_NAMES* names, int kind, const std::string& text) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, kind, value);
  sk_GENERAL_NAME_push(names, name);
}

void AddOther(GENERAL_NAMES* names, const char* oid, int type, const std::string& text) {
  ASN1_STRING* string = ASN1_STRING_type_new(type);
  ASN1_STRING_set(string, text.data(), static_cast<int>(text.size()));
  ASN1_TYPE* value = ASN1_TYPE_new();
  ASN1_TYPE_set(value, type, string);
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_othername(name, OBJ_txt2obj(oid, 1), value);
  sk_GENERAL_NAME_push(names, name);
}

void AddAddress(GENERAL_NAMES* names, const std::string& text) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, GEN_IPADD, a2i_IPADDRESS(text.c_str()));
  sk_GENERAL_NAME_push(names, name);
}

void AddNames(X509* certificate, const CertificatePlan& plan) {
  const bssl::UniquePtr<GENERAL_NAMES> names(GENERAL_NAMES_new());
  for (const auto& name : plan.dns_names) AddText(names.get(), GEN_DNS, name);
  for (const auto& name : plan.uris) AddText(names.get(), GEN_URI, name);
  for (const auto& name : plan.srv_names)
    AddOther(names.get(), "1.3.6.1.5.5.7.8.7", V_ASN1_IA5STRING, name);
  for (const auto& name : plan.xmpp_addrs)
    AddOther(names.get(), "1.3.6.1.5.5.7.8.5", V_ASN1_UTF8STRING, name);
  for (const auto& address : plan.ip_addresses) AddAddress(names.get(), address);
  if (sk_GENERAL_NAME_num(names.get()) > 0 || plan.empty_alternative_name)
    X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0);
}

Certificate Unsigned(const CertificatePlan& plan, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<std::uint8_t*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), plan.starts_in_days * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()),
                  plan.ends_in_days * 86400L + plan.ends_in_seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const std::uint8_t*>(plan.common_name.c_str()), -1,
                             -1, 0);
  X509_set_pubkey(certificate.get(), key);
  AddNames(certificate.get(), plan);
  AddExtension(certificate.get(), NID_basic_constraints,
               plan.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(certificate.get(), NID_key_usage, plan.key_usage);
  AddExtension(certificate.get(), NID_ext_key_usage, plan.extended_key_usage);
  AddExtension(certificate.get(), NID_name_constraints, plan.name_constraints);
  return certificate;
}

void Sign(X509* certificate, const CertificatePlan& plan, X509* issuer, EVP_PKEY* issuer_key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  const bool own_digest = EVP_PKEY_id(issuer_key) == EVP_PKEY_ED25519;
  const EVP_MD* digest = plan.sha1_signature ? EVP_sha1() : EVP_sha256();
  GATEHOUSE_CHECK(X509_sign(certificate, issuer_key, own_digest ? nullptr : digest) > 0);
}

void WriteChain(const std::string& path, std::initializer_list<X509*> chain) {
  const bssl::UniquePtr<BIO> file(BIO_new_file(path.c_str(), "w"));
  for (X509* certificate : chain) PEM_write_bio_X509(file.get(), certificate);
}

void WriteKey(const std::string& path, EVP_PKEY* key) {
  const bssl::UniquePtr<BIO> file(BIO_new_file(path.c_str(), "w"));
  PEM_write_bio_PKCS8PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

CertificatePlan RootPlan() {
  CertificatePlan plan;
  plan.common_name = "test root";
  plan.key_usage = "keyCertSign,cRLSign";
  plan.is_authority = true;
  return plan;
}

}  // namespace

struct CertificateMaker::Authority {
  Key key;
  Certificate certificate;
};

CertificateMaker::CertificateMaker() : root_(std::make_unique<Authority>()) {
  std::string folder = (std::filesystem::temp_directory_path() / "gatehouse-ca-XXXXXX").string();
  GATEHOUSE_CHECK(mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  const CertificatePlan plan = RootPlan();
  root_->key = MakeKey(plan.key);
  root_->certificate = Unsigned(plan, root_->key.get());
  Sign(root_->certificate.get(), plan, root_->certificate.get(), root_->key.get());
  WriteChain(trust(), {root_->certificate.get()});
}

CertificateMaker::~CertificateMaker() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

TlsFiles CertificateMaker::NextFiles() {
  const std::string stem = std::to_string(++issued_);
  return {Path(stem + ".pem"), Path(stem + ".key"), trust()};
}

TlsFiles CertificateMaker::Issue(const CertificatePlan& plan) {
  const TlsFiles files = NextFiles();
  const Key key = MakeKey(plan.key);
  const Certificate leaf = Unsigned(plan, key.get());
  Sign(leaf.get(), plan, root_->certificate.get(), root_->key.get());
  WriteChain(files.chain_file, {leaf.get()});
  WriteKey(files.key_file, key.get());
  return files;
}

TlsFiles CertificateMaker::IssueBelow(const CertificatePlan& intermediate,
                                      const CertificatePlan& leaf) {
  const TlsFiles files = NextFiles();
  const Key middle_key = MakeKey(intermediate.key);
  const Certificate middle = Unsigned(intermediate, middle_key.get());
  Sign(middle.get(), intermediate, root_->certificate.get(), root_->key.get());
  const Key key = MakeKey(leaf.key);
  const Certificate end = Unsigned(leaf, key.get());
  Sign(end.get(), leaf, middle.get(), middle_key.get());
  WriteChain(files.chain_file, {end.get(), middle.get()});
  WriteKey(files.key_file, key.get());
  return files;
}

TlsFiles CertificateMaker::SelfSigned(const CertificatePlan& plan) {
  const TlsFiles files = NextFiles();
  const Key key = MakeKey(plan.key);
  const Certificate leaf = Unsigned(plan, key.get());
  Sign(leaf.get(), plan, leaf.get(), key.get());
  WriteChain(files.chain_file, {leaf.get()});
  WriteKey(files.key_file, key.get());
  return files;
}

}  // namespace gatehouse
