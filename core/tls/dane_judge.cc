#include "core/tls/dane_judge.h"

#include <openssl/mem.h>
#include <openssl/sha.h>

#include <optional>
#include <vector>

#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kToldRecords = 3;

std::string Der(X509* certificate, std::uint8_t selector) {
  std::uint8_t* der = nullptr;
  const int size = selector == TlsaRecord::kCertificate
                       ? i2d_X509(certificate, &der)
                       : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size < 0) return {};
  const bssl::UniquePtr<std::uint8_t> owned(der);
  return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
}

std::string Sha512(const std::string& data) {
  std::string digest(SHA512_DIGEST_LENGTH, '\0');
  SHA512(reinterpret_cast<const std::uint8_t*>(data.data()), data.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

// RFC 6698 §2.1.2, §2.1.3
bool IsOf(const TlsaRecord& record, X509* certificate) {
  const std::string der = Der(certificate, record.selector);
  if (der.empty()) return false;
  if (record.matching == TlsaRecord::kSha256) return Sha256(der) == record.data;
  if (record.matching == TlsaRecord::kSha512) return Sha512(der) == record.data;
  return record.matching == TlsaRecord::kFull && der == record.data;
}

// A verification that went to its end; its chain lives as long as it does.
struct Verified {
  bssl::UniquePtr<X509_STORE_CTX> context;
  PeerCertificate peer;

  Verified(STACK_OF(X509) * sent, X509_STORE* anchors, const CertificateRules& rules)
      : context(X509_STORE_CTX_new()) {
    if (X509_STORE_CTX_init(context.get(), anchors, sk_X509_value(sent, 0), sent) == 1)
      peer = JudgeCertificate(context.get(), rules);
  }
};

class Judge {
 public:
  Judge(STACK_OF(X509) * chain, X509_STORE* anchors, const DaneQuestion& question,
        const CertificateRules& rules)
      : chain_(chain), anchors_(anchors), question_(question), rules_(rules) {}

  DaneVerdict Decide() {
    std::string why_not;
    std::size_t told = 0;
    for (const TlsaRecord& record : question_.records) {
      const std::string why = WhyNot(record);
      if (why.empty()) return {true, TlsaText(record) + " matches", end_};
      if (told++ == kToldRecords) why_not += "; …";
      if (told > kToldRecords) continue;
      why_not += (why_not.empty() ? "" : "; ") + TlsaText(record) + ": " + why;
    }
    return {false, std::move(why_not), 0};
  }

 private:
  // Empty: `record` matches, and end_ is set.
  std::string WhyNot(const TlsaRecord& record) {
    switch (record.usage) {
      case TlsaRecord::kDaneEe:
        end_ = 0;
        return IsOf(record, leaf()) ? "" : "the server's is another";
      case TlsaRecord::kDaneTa:
        return WhyNotDaneTa(record);
      case TlsaRecord::kPkixEe:
        return IsOf(record, leaf()) ? WhyNot(pkix().peer) : "the server's is another";
      case TlsaRecord::kPkixTa:
        return HasAuthority(record) ? WhyNot(pkix().peer) : "no authority of its chain is that";
      default:
        return "not usable";
    }
  }

  std::string WhyNot(const PeerCertificate& peer) {
    if (!peer.chain_valid) return peer.chain_error.empty() ? "not verified" : peer.chain_error;
    if (!MatchesXmppDomain(peer, question_.domain) && !MatchesXmppDomain(peer, question_.target))
      return "the certificate names neither domain nor target";
    end_ = peer.not_after_unix;
    return {};
  }

  std::string WhyNotDaneTa(const TlsaRecord& record) {
    std::string why = "no authority the server shows is that";
    for (std::size_t i = 1; i < sk_X509_num(chain_); ++i) {
      X509* authority = sk_X509_value(chain_, i);
      if (!IsOf(record, authority)) continue;
      why = WhyNotBelow(authority);
      if (why.empty()) return why;
    }
    const bool whole =
        record.matching == TlsaRecord::kFull && record.selector == TlsaRecord::kCertificate;
    if (!whole || IsOf(record, leaf())) return why;  // the server's own is no authority
    const auto* at = reinterpret_cast<const std::uint8_t*>(record.data.data());
    const bssl::UniquePtr<X509> authority(
        d2i_X509(nullptr, &at, static_cast<long>(record.data.size())));
    return authority ? WhyNotBelow(authority.get()) : "not usable";
  }

  // What the peer sent, down from `authority`, which is trusted as it is.
  std::string WhyNotBelow(X509* authority) {
    const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), authority);
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    const bssl::UniquePtr<STACK_OF(X509)> below(sk_X509_new_null());
    for (X509* sent : chain_)
      if (X509_cmp(sent, authority) != 0 || sent == leaf())
        bssl::PushToStack(below.get(), bssl::UpRef(sent));
    return WhyNot(Verified(below.get(), store.get(), rules_).peer);
  }

  bool HasAuthority(const TlsaRecord& record) {
    STACK_OF(X509)* verified = X509_STORE_CTX_get0_chain(pkix().context.get());
    for (std::size_t i = 1; verified != nullptr && i < sk_X509_num(verified); ++i)
      if (IsOf(record, sk_X509_value(verified, i))) return true;
    return false;
  }

  const Verified& pkix() {
    if (!pkix_) pkix_.emplace(chain_, anchors_, rules_);
    return *pkix_;
  }
  [[nodiscard]] X509* leaf() const { return sk_X509_value(chain_, 0); }

  STACK_OF(X509) * chain_;
  X509_STORE* anchors_;
  const DaneQuestion& question_;
  const CertificateRules& rules_;
  std::optional<Verified> pkix_;
  std::int64_t end_ = 0;  // of the record that matched
};

}  // namespace

DaneVerdict JudgeByTlsa(STACK_OF(X509) * chain, X509_STORE* anchors, const DaneQuestion& question,
                        const CertificateRules& rules) {
  return Judge(chain, anchors, question, rules).Decide();
}

}  // namespace gatehouse
