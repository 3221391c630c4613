// The number of an offer: ascending per (sender instance, sender epoch), from 1.
#pragma once

#include <compare>
#include <cstdint>

namespace gatehouse::ipc {

struct OfferSeq {
  std::uint64_t value = 0;
  auto operator<=>(const OfferSeq&) const = default;
};

}  // namespace gatehouse::ipc
