#include "core/sip/sip_arena.h"

#include <osipparser2/osip_port.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace gatehouse {
namespace {

constexpr std::size_t kAlignment = alignof(std::max_align_t);
constexpr std::size_t kBlockBytes = 16384;

// osipparser2's allocators take no context, so the lender has to be found by thread.
thread_local SipArena* lender = nullptr;

// Each piece lent to osipparser2 is preceded by its size, which realloc needs.
struct alignas(kAlignment) PieceHead {
  std::size_t bytes;
};

void* LendPiece(std::size_t bytes) noexcept {
  if (lender == nullptr) return nullptr;
  auto* head = static_cast<PieceHead*>(lender->Allocate(sizeof(PieceHead) + bytes));
  if (head == nullptr) return nullptr;
  head->bytes = bytes;
  return head + 1;
}

void* LendLarger(void* piece, std::size_t bytes) noexcept {
  void* larger = LendPiece(bytes);
  if (piece == nullptr || larger == nullptr) return larger;
  std::memcpy(larger, piece, std::min(bytes, (static_cast<PieceHead*>(piece) - 1)->bytes));
  return larger;
}

void TakeBackNothing(void*) noexcept {}

}  // namespace

void SipArena::Clear() {
  blocks_.clear();
  taken_ = 0;
  next_ = first_.data();
  left_ = kInlineBytes;
}

void* SipArena::Allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded < bytes || rounded > kMaxBytes) return nullptr;
  if (rounded > left_) {
    const std::size_t block = std::max(rounded, kBlockBytes);
    if (taken_ + block > kMaxBytes) return nullptr;
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block));
    taken_ += block;
    next_ = blocks_.back().get();
    left_ = block;
  }
  std::byte* piece = next_;
  next_ += rounded;
  left_ -= rounded;
  return piece;
}

OsipLending::OsipLending(SipArena& arena) : before_(lender) {
  [[maybe_unused]] static const bool set =
      (osip_set_allocators(LendPiece, LendLarger, TakeBackNothing), true);
  lender = &arena;
}

OsipLending::~OsipLending() {
  lender = before_;
}

}  // namespace gatehouse
