#include "core/tls/trust_anchors.h"

#include <string>
#include <utility>
#include <vector>

#include "core/tls/anchor_store.h"
#include "core/tls/pem_certificates.h"

namespace gatehouse {
namespace {

using Anchors = std::vector<bssl::UniquePtr<X509>>;

Result<Anchors> ReadAnchors(std::string_view pem) {
  if (pem.size() > kMaxAnchorsBytes)
    return BadConfig("trust anchors: more than " + std::to_string(kMaxAnchorsBytes) + " octets");
  PemCertificates read = ReadPemCertificates(pem);
  if (!read.whole)
    return BadConfig("trust anchors: certificate " + std::to_string(read.all.size() + 1) +
                     " cannot be read");
  if (read.all.empty()) return BadConfig("trust anchors: no PEM certificate");
  return std::move(read.all);
}

}  // namespace

Result<std::size_t> CountAnchors(std::string_view pem) {
  GATEHOUSE_TRY(const Anchors anchors, ReadAnchors(pem));
  return anchors.size();
}

Result<bssl::UniquePtr<X509_STORE>> AnchorStore(std::string_view pem) {
  GATEHOUSE_TRY(const Anchors anchors, ReadAnchors(pem));
  bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  for (const auto& anchor : anchors) X509_STORE_add_cert(store.get(), anchor.get());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

}  // namespace gatehouse
