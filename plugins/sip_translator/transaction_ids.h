// Names of SIP transactions that survive us: derived from the offer they carry. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::translator {

// Text of a fixed length, kept in place.
template <std::size_t Size>
struct FixedText {
  std::array<char, Size> characters;
  operator std::string_view() const { return {characters.data(), Size}; }  // NOLINT: it is one
};

struct TransactionIds {
  FixedText<39> branch;   // with its magic cookie
  FixedText<16> call_id;  // hex digits
  FixedText<16> tag;      // hex digits
  std::uint32_t cseq = 1;
};
// The same offer gets the same names in every life of this process, so that its repetition after
// our death is a retransmission for a UDP peer. Nobody who does not know the sender's epoch (64
// random bits) can foretell them.
[[nodiscard]] TransactionIds IdsOfOffer(std::uint64_t sender_epoch, std::uint64_t seq);
// Names for a request that carries no offer.
[[nodiscard]] TransactionIds FreshIds();

}  // namespace gatehouse::translator
