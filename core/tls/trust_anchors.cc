#include "core/tls/trust_anchors.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string>
#include <vector>

#include "core/tls/anchor_store.h"

namespace gatehouse {
namespace {

using Anchors = std::vector<bssl::UniquePtr<X509>>;

Result<Anchors> ReadAnchors(std::string_view pem) {
  if (pem.size() > kMaxAnchorsBytes)
    return BadConfig("trust anchors: more than " + std::to_string(kMaxAnchorsBytes) + " octets");
  const bssl::UniquePtr<BIO> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  ERR_clear_error();
  Anchors anchors;
  while (X509* next = PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr))
    anchors.emplace_back(next);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end)
    return BadConfig("trust anchors: certificate " + std::to_string(anchors.size() + 1) +
                     " cannot be read");
  if (anchors.empty()) return BadConfig("trust anchors: no PEM certificate");
  return anchors;
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
