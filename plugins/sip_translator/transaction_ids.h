// Names of SIP transactions that survive us: derived from the offer they carry. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse::translator {

struct TransactionIds {
  std::string branch;   // with its magic cookie
  std::string call_id;  // 16 hex digits
  std::string tag;      // 16 hex digits
  std::uint32_t cseq = 1;
};
// The same offer gets the same names in every life of this process, so that its repetition after
// our death is a retransmission for a UDP peer. Nobody who does not know the sender's epoch (64
// random bits) can foretell them.
[[nodiscard]] TransactionIds IdsOfOffer(std::uint64_t sender_epoch, std::uint64_t seq);
// Names for a request that carries no offer.
[[nodiscard]] TransactionIds FreshIds();

}  // namespace gatehouse::translator
