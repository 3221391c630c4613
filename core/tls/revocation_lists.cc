#include "core/tls/revocation_lists.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "core/base/regular_file.h"
#include "core/tls/certificate_verdict.h"
#include "core/tls/pem_certificates.h"
#include "core/tls/revocation_check.h"

namespace gatehouse {
namespace {

struct BoringRevocationLists final : RevocationLists {
  [[nodiscard]] std::vector<std::string> Listed(const std::string& chain_pem) const override;
  [[nodiscard]] std::vector<std::string> Outdated(std::int64_t now_unix) const override;

  std::vector<bssl::UniquePtr<X509_CRL>> lists;
};

bssl::UniquePtr<BIO> PemReader(const std::string& pem) {
  ERR_clear_error();
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

bool IsOfItsIssuer(const X509_CRL* list, const X509* certificate) {
  return X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(certificate)) == 0;
}

// 2 would be "taken from the list again" (RFC 5280 §5.3.1).
bool Names(X509_CRL* list, X509* certificate) {
  X509_REVOKED* entry = nullptr;
  return X509_CRL_get0_by_cert(list, &entry, certificate) == 1;
}

// RFC 5280 §6.3.3 (f), (g)
bool IsSignedBy(X509_CRL* list, X509* issuer) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(issuer));
  const bool may = (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0;  // all bits where it is absent
  const bool is = may && key && X509_CRL_verify(list, key.get()) == 1;
  ERR_clear_error();
  return is;
}

std::string IssuerText(const X509_CRL* list) {
  const bssl::UniquePtr<BIO> memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), X509_CRL_get_issuer(list), 0, XN_FLAG_RFC2253);
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(memory.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

bool EndsBefore(const X509_CRL* list, std::int64_t unix_time) {
  const ASN1_TIME* const end = X509_CRL_get0_nextUpdate(list);
  const bssl::UniquePtr<ASN1_TIME> now(ASN1_TIME_set(nullptr, static_cast<time_t>(unix_time)));
  int days = 0;
  int second = 0;
  if (end == nullptr || ASN1_TIME_diff(&days, &second, now.get(), end) != 1) return false;
  return days < 0 || second < 0;
}

// Of a file: which one it is, and when it was written last.
struct FileState {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_s = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileState&) const = default;
};

FileState StateOf(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size, found.st_ctim.tv_sec, found.st_ctim.tv_nsec};
}

struct LastRead {
  std::string file;
  FileState state;
  std::weak_ptr<const RevocationLists> lists;
};

std::vector<std::string> BoringRevocationLists::Listed(const std::string& chain_pem) const {
  std::vector<std::string> found;
  for (const auto& certificate : ReadPemCertificates(chain_pem).all)
    for (const auto& list : lists)
      if (IsOfItsIssuer(list.get(), certificate.get()) && Names(list.get(), certificate.get())) {
        found.push_back(DigestOf(certificate.get()));
        break;
      }
  return found;
}

std::vector<std::string> BoringRevocationLists::Outdated(std::int64_t now_unix) const {
  std::vector<std::string> issuers;
  for (const auto& list : lists)
    if (EndsBefore(list.get(), now_unix)) issuers.push_back(IssuerText(list.get()));
  return issuers;
}

}  // namespace

Result<std::shared_ptr<const RevocationLists>> RevocationLists::Parse(const std::string& pem) {
  if (pem.size() > kMaxRevocationBytes)
    return BadConfig("has more than " + std::to_string(kMaxRevocationBytes) + " octets");
  auto all = std::make_shared<BoringRevocationLists>();
  const auto text = PemReader(pem);
  while (X509_CRL* next = PEM_read_bio_X509_CRL(text.get(), nullptr, nullptr, nullptr))
    all->lists.emplace_back(next);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end)
    return BadConfig("holds a certificate revocation list, number " +
                     std::to_string(all->lists.size() + 1) + ", that cannot be read");
  if (all->lists.empty()) return BadConfig("holds no PEM certificate revocation list");
  return all;
}

Result<std::shared_ptr<const RevocationLists>> RevocationLists::Read(const std::string& file) {
  if (file.empty()) return nullptr;
  // The lists of a large authority take twenty times their size, and seconds: the contexts of a
  // process share them, and a reload reads what has changed only.
  static LastRead last;
  const FileState state = StateOf(file);
  if (auto lists = last.lists.lock(); lists && last.file == file && last.state == state)
    return lists;
  GATEHOUSE_TRY(const std::string pem, ReadRegularFile(file, kMaxRevocationBytes + 1));
  GATEHOUSE_TRY(auto lists, Parse(pem));
  last = {file, state, lists};
  return lists;
}

ListSigners SignersOf(const RevocationLists& lists, X509_STORE* trust) {
  ListSigners signers;
  for (const auto& list : static_cast<const BoringRevocationLists&>(lists).lists) {
    bool known = false;
    bool signed_by_one = false;
    for (const X509_OBJECT* object : X509_STORE_get0_objects(trust)) {
      X509* const authority = X509_OBJECT_get0_X509(object);
      if (authority == nullptr ||
          X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(authority)) != 0)
        continue;
      known = true;
      signed_by_one = signed_by_one || IsSignedBy(list.get(), authority);
    }
    if (!known) signers.unknown.push_back(IssuerText(list.get()));
    if (known && !signed_by_one) signers.others.push_back(IssuerText(list.get()));
  }
  return signers;
}

bool IsRevoked(const RevocationLists& lists, STACK_OF(X509) * chain) {
  const auto& all = static_cast<const BoringRevocationLists&>(lists).lists;
  for (std::size_t i = 0; i + 1 < sk_X509_num(chain); ++i) {
    X509* const certificate = sk_X509_value(chain, i);
    X509* const issuer = sk_X509_value(chain, i + 1);
    for (const auto& list : all)
      if (IsOfItsIssuer(list.get(), certificate) && Names(list.get(), certificate) &&
          IsSignedBy(list.get(), issuer))
        return true;
  }
  return false;
}

}  // namespace gatehouse
