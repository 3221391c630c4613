#include "core/certificate/certificate_chain.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "core/certificate/boring_objects.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxLinks = 10;
constexpr int kMaxSteps = 2000;  // of the search; a bundle may be made to have very many ways

struct Candidate {
  CertificateObject certificate;
  CertificateFacts facts;
};
using Candidates = std::vector<Candidate>;
using Way = std::vector<std::size_t>;  // leaf first

bool IsValidAt(const CertificateFacts& facts, std::int64_t now) {
  return facts.not_before <= now && now < facts.not_after;
}

Result<Candidates> ReadAll(const std::vector<std::string>& certificates_der) {
  Candidates all;
  for (const std::string& der : certificates_der) {
    GATEHOUSE_TRY(CertificateFacts facts, FactsOf(der));
    const bool repeated = std::ranges::any_of(
        all, [&](const Candidate& other) { return other.facts.sha256 == facts.sha256; });
    if (!repeated) all.push_back({ParseCertificate(der), std::move(facts)});
  }
  return all;
}

// Of those with that key, which has to be used now, and for as long as can be.
std::optional<std::size_t> FindLeaf(const Candidates& all, std::string_view public_key_hash,
                                    std::int64_t now) {
  std::optional<std::size_t> best;
  const auto worth = [&](std::size_t i) {
    return std::tuple(IsValidAt(all[i].facts, now), all[i].facts.not_after);
  };
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].facts.public_key_hash == public_key_hash && (!best || worth(i) > worth(*best)))
      best = i;
  return best;
}

// By name and signature.
bool Issued(const Candidate& issuer, const Candidate& subject) {
  if (X509_NAME_cmp(X509_get_subject_name(issuer.certificate.get()),
                    X509_get_issuer_name(subject.certificate.get())) != 0)
    return false;
  const KeyObject key(X509_get_pubkey(issuer.certificate.get()));
  const bool did = key && X509_verify(subject.certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return did;
}

// Looks at every way from the leaf up and keeps the best.
class WaySearch {
 public:
  WaySearch(const Candidates& all, std::int64_t now) : all_(all), now_(now) {
    issuers_.resize(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t of = 0; of < all.size(); ++of)
        if (i != of && all[i].facts.is_ca && !all[of].facts.self_signed && Issued(all[i], all[of]))
          issuers_[of].push_back(i);
  }

  Way Best(std::size_t leaf) {
    Way way = {leaf};
    Extend(way);
    return best_;
  }

 private:
  // Fewest invalid ones, then one that ends at a root, then the shortest.
  [[nodiscard]] auto CostOf(const Way& way) const {
    const auto invalid = std::ranges::count_if(
        way, [this](std::size_t i) { return !IsValidAt(all_[i].facts, now_); });
    return std::tuple(invalid, !all_[way.back()].facts.self_signed, way.size());
  }

  void Extend(Way& way) {
    bool is_end = true;
    for (const std::size_t issuer : issuers_[way.back()]) {
      if (way.size() == kMaxLinks || steps_ == kMaxSteps) break;
      if (std::ranges::find(way, issuer) != way.end()) continue;
      ++steps_;
      is_end = false;
      way.push_back(issuer);
      Extend(way);
      way.pop_back();
    }
    // An expired root above is no reason to take a way that is longer, and none to stop below it.
    if (is_end && (best_.empty() || CostOf(way) < CostOf(best_))) best_ = way;
  }

  const Candidates& all_;
  const std::int64_t now_;
  std::vector<Way> issuers_;  // of each
  Way best_;
  int steps_ = 0;
};

std::string WhyLeftOut(const Candidate& stranger, std::string_view key_hash, std::int64_t now) {
  const CertificateFacts& facts = stranger.facts;
  const std::string name = "'" + facts.subject + "' is left out: ";
  if (facts.public_key_hash == key_hash) return name + "it is an older certificate of the same key";
  if (facts.self_signed) return name + "it is a root that the chain does not end at";
  if (!IsValidAt(facts, now)) return name + "it is not valid now, and the chain has another way";
  return name + "it does not belong to the chain";
}

// A root that is known by a certificate of an older root as well, and that one has expired: peers
// that have the root do without it, and the others refuse it in any case. Only where nothing above
// is good, and an authority is left below.
void DropExpiredCrossRoots(const Candidates& all, std::int64_t now, Way& way,
                           std::vector<std::string>& notes) {
  constexpr std::size_t kLeafAndIssuer = 2;
  const CertificateFacts& top = all[way.back()].facts;
  if (top.self_signed && IsValidAt(top, now)) return;
  while (way.size() > kLeafAndIssuer && all[way.back()].facts.not_after <= now) {
    notes.push_back("'" + all[way.back()].facts.subject +
                    "' is left out: it has expired; who trusts it as a root has it");
    way.pop_back();
  }
}

}  // namespace

Result<BuiltChain> BuildChain(const std::vector<std::string>& certificates_der,
                              std::string_view public_key_hash, std::int64_t now) {
  GATEHOUSE_TRY(const Candidates all, ReadAll(certificates_der));
  if (all.empty()) return BadConfig("there is no certificate");
  const std::optional<std::size_t> leaf = FindLeaf(all, public_key_hash, now);
  if (!leaf)
    return BadConfig("none of the " + std::to_string(all.size()) +
                     " certificates belongs to the key; import what was issued for this request, "
                     "or the key with it");
  const Way whole = WaySearch(all, now).Best(*leaf);
  BuiltChain chain;
  Way way = whole;
  DropExpiredCrossRoots(all, now, way, chain.notes);
  for (const std::size_t i : way) {
    const Candidate& link = all[i];
    if (i != *leaf && link.facts.self_signed) {
      chain.root_seen = true;
      chain.notes.push_back("the root '" + link.facts.subject +
                            "' is not sent: who trusts it has it");
      continue;
    }
    chain.pem += PemOf(link.certificate.get());
    chain.links.push_back(link.facts);
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::ranges::find(whole, i) == whole.end())
      chain.notes.push_back(WhyLeftOut(all[i], public_key_hash, now));
  return chain;
}

}  // namespace gatehouse
