#include "core/tls/certificate_verdict.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "core/tls/certificate_names.h"
#include "core/tls/certificate_strength.h"
#include "core/tls/crypto.h"
#include "core/tls/revocation_check.h"

namespace gatehouse {
namespace {

std::int64_t UnixTime(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int second = 0;
  if (ASN1_TIME_diff(&days, &second, epoch.get(), time) != 1) return 0;
  return std::int64_t{days} * 86400 + second;
}

bool PurposeAllows(const X509* leaf, CertificateUse use) {
  const KeyPurposes purposes = PurposesOf(leaf);
  return !purposes.are_given || purposes.server || purposes.client || purposes.any ||
         (use == CertificateUse::kSip && purposes.sip_domain);
}

bool KeyIsStrong(X509* certificate) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate));
  return key && IsStrongKey(KeyTypeWord(key.get()));
}

// The rules of 2.5 beyond RFC 5280. Empty: all hold.
std::string OwnRuleBroken(STACK_OF(X509) * chain, CertificateUse use) {
  X509* leaf = sk_X509_value(chain, 0);
  if (!PurposeAllows(leaf, use)) return "extended key usage allows neither server nor client";
  if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)  // all bits where it is absent
    return "key usage does not allow digital signatures";
  const std::size_t count = sk_X509_num(chain);
  for (std::size_t i = 0; i < count; ++i) {
    X509* certificate = sk_X509_value(chain, i);
    const bool anchor = i + 1 == count;  // trusted as it is
    if (!KeyIsStrong(certificate) && (i == 0 || !anchor))
      return "key is neither RSA of 2048 bits, P-256, P-384 nor Ed25519";
    if (!anchor && !IsStrongSignature(certificate)) return "signature with SHA-1 or MD5";
  }
  return {};
}

// An authority that may name some domains only. BoringSSL holds dNSNames to that, not otherNames:
// an SRV-ID or XmppAddr would go past the constraint.
bool HasNameConstraints(STACK_OF(X509) * chain) {
  for (std::size_t i = 1; i < sk_X509_num(chain); ++i)
    if (X509_get_ext_by_NID(sk_X509_value(chain, i), NID_name_constraints, -1) >= 0) return true;
  return false;
}

std::int64_t EarliestEnd(STACK_OF(X509) * chain, const X509* leaf) {
  std::int64_t earliest = UnixTime(X509_get0_notAfter(leaf));
  if (chain == nullptr) return earliest;
  for (const X509* certificate : chain)
    earliest = std::min(earliest, UnixTime(X509_get0_notAfter(certificate)));
  return earliest;
}

std::int64_t LatestBegin(STACK_OF(X509) * chain, const X509* leaf) {
  std::int64_t latest = UnixTime(X509_get0_notBefore(leaf));
  if (chain == nullptr) return latest;
  for (const X509* certificate : chain)
    latest = std::max(latest, UnixTime(X509_get0_notBefore(certificate)));
  return latest;
}

}  // namespace

std::string DigestOf(X509* certificate) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size < 0) return {};
  const bssl::UniquePtr<std::uint8_t> owned(der);
  return Hex(Sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}));
}

PeerCertificate JudgeCertificate(X509_STORE_CTX* store, const CertificateRules& rules) {
  // Any purpose here: serverAuth alone must do for a peer that connects to us (2.5). PurposeAllows
  // judges.
  X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(store), X509_PURPOSE_ANY);
  const bool verified = X509_verify_cert(store) == 1;
  PeerCertificate peer;
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (leaf == nullptr) return peer;
  peer.presented = true;
  peer.sha256 = DigestOf(leaf);
  peer.not_before_unix = LatestBegin(chain, leaf);
  peer.not_after_unix = EarliestEnd(chain, leaf);
  const std::string_view names_error = ReadNames(leaf, peer);
  if (!verified)
    peer.chain_error = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  else if (!names_error.empty())
    peer.chain_error = names_error;
  else
    peer.chain_error = OwnRuleBroken(chain, rules.use);
  if (verified && rules.revoked != nullptr && IsRevoked(*rules.revoked, chain)) {
    peer.revoked = true;
    peer.chain_error = "its authority has revoked it";
  }
  if (chain != nullptr && HasNameConstraints(chain)) {
    peer.srv_names.clear();
    peer.xmpp_addrs.clear();
  }
  peer.chain_valid = peer.chain_error.empty();
  return peer;
}

std::string DigestOfSent(X509_STORE_CTX* store) {
  std::string sent = DigestOf(X509_STORE_CTX_get0_cert(store));
  STACK_OF(X509)* others = X509_STORE_CTX_get0_untrusted(store);
  if (others != nullptr)
    for (X509* certificate : others) sent += DigestOf(certificate);
  return Sha256(sent);
}

PeerCertificate JudgeChain(STACK_OF(X509) * chain, X509_STORE* store,
                           const CertificateRules& rules) {
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store, sk_X509_value(chain, 0), chain) != 1) return {};
  return JudgeCertificate(context.get(), rules);
}

}  // namespace gatehouse
