#include "plugins/sip_translator/transaction_ids.h"

#include <algorithm>

#include "core/tls/crypto.h"

namespace gatehouse::translator {
namespace {

constexpr std::uint32_t kMaxCSeq = 0x7FFFFFFF;  // RFC 3261 §8.1.1.5
constexpr std::string_view kBranchCookie = "z9hG4bK";

std::array<char, 8> Octets(std::uint64_t value) {
  std::array<char, 8> octets{};
  for (char& octet : octets) {
    octet = static_cast<char>(value >> 56U);
    value <<= 8U;
  }
  return octets;
}

char* WriteHex(std::string_view bytes, char* to) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = kDigits[byte >> 4U];
    *to++ = kDigits[byte & 15U];
  }
  return to;
}

// `seed` holds 32 octets: 16 for the branch, 8 each for Call-ID and tag.
TransactionIds IdsOf(std::string_view seed, std::uint32_t cseq) {
  TransactionIds ids{};
  WriteHex(seed.substr(0, 16), std::ranges::copy(kBranchCookie, ids.branch.characters.data()).out);
  WriteHex(seed.substr(16, 8), ids.call_id.characters.data());
  WriteHex(seed.substr(24, 8), ids.tag.characters.data());
  ids.cseq = cseq;
  return ids;
}

}  // namespace

TransactionIds IdsOfOffer(std::uint64_t sender_epoch, std::uint64_t seq) {
  const auto epoch = Octets(sender_epoch);
  const auto number = Octets(seq);
  const Sha256Digest seed = Sha256Of(
      {"sip transaction of offer ", {epoch.data(), epoch.size()}, {number.data(), number.size()}});
  return IdsOf({seed.data(), seed.size()}, static_cast<std::uint32_t>(1 + seq % kMaxCSeq));
}

TransactionIds FreshIds() {
  return IdsOf(RandomBytes(32), 1);
}

}  // namespace gatehouse::translator
