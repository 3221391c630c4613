#include "core/tls/tlsa_record.h"

#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kShownOctets = 8;

const std::uint8_t* Unsigned(const std::string& data) {
  return reinterpret_cast<const std::uint8_t*>(data.data());
}

bool IsCertificate(const std::string& data) {
  const std::uint8_t* at = Unsigned(data);
  const bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(data.size())));
  return certificate && at == Unsigned(data) + data.size();
}

bool IsPublicKey(const std::string& data) {
  CBS bytes;
  CBS_init(&bytes, Unsigned(data), data.size());
  const bssl::UniquePtr<EVP_PKEY> key(EVP_parse_public_key(&bytes));
  return key && CBS_len(&bytes) == 0;
}

bool IsUsable(const TlsaRecord& record) {
  if (record.usage > TlsaRecord::kDaneEe || record.selector > TlsaRecord::kPublicKey) return false;
  switch (record.matching) {
    case TlsaRecord::kFull:
      return record.selector == TlsaRecord::kCertificate ? IsCertificate(record.data)
                                                         : IsPublicKey(record.data);
    case TlsaRecord::kSha256:
      return record.data.size() == SHA256_DIGEST_LENGTH;
    case TlsaRecord::kSha512:
      return record.data.size() == SHA512_DIGEST_LENGTH;
    default:
      return false;
  }
}

}  // namespace

std::string TlsaText(const TlsaRecord& record) {
  std::string text = std::to_string(record.usage) + ' ' + std::to_string(record.selector) + ' ' +
                     std::to_string(record.matching) + ' ' +
                     Hex(std::string_view(record.data).substr(0, kShownOctets));
  return record.data.size() > kShownOctets ? text + "…" : text;
}

std::vector<TlsaRecord> UsableTlsa(std::vector<TlsaRecord> records) {
  std::erase_if(records, [](const TlsaRecord& each) { return !IsUsable(each); });
  std::array<std::array<std::uint8_t, 2>, 4> strongest{};  // by usage and selector
  for (const TlsaRecord& each : records) {
    std::uint8_t& known = strongest.at(each.usage).at(each.selector);
    known = std::max(known, each.matching);
  }
  std::erase_if(records, [&](const TlsaRecord& each) {
    return each.matching != TlsaRecord::kFull &&
           each.matching < strongest.at(each.usage).at(each.selector);
  });
  return records;
}

}  // namespace gatehouse
