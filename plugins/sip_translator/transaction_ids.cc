#include "plugins/sip_translator/transaction_ids.h"

#include "core/tls/crypto.h"

namespace gatehouse::translator {
namespace {

constexpr std::uint32_t kMaxCSeq = 0x7FFFFFFF;  // RFC 3261 §8.1.1.5

void AppendOctets(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFFU);
}

// `seed` holds 32 octets: 16 for the branch, 8 each for Call-ID and tag.
TransactionIds IdsOf(const std::string& seed, std::uint32_t cseq) {
  return {"z9hG4bK" + Hex(seed.substr(0, 16)), Hex(seed.substr(16, 8)), Hex(seed.substr(24, 8)),
          cseq};
}

}  // namespace

TransactionIds IdsOfOffer(std::uint64_t sender_epoch, std::uint64_t seq) {
  std::string name = "sip transaction of offer ";
  AppendOctets(name, sender_epoch);
  AppendOctets(name, seq);
  return IdsOf(Sha256(name), static_cast<std::uint32_t>(1 + seq % kMaxCSeq));
}

TransactionIds FreshIds() {
  return IdsOf(RandomBytes(32), 1);
}

}  // namespace gatehouse::translator
