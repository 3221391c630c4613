// Memory of one message: handed out from the front, given back all at once, with a bound of its
// own. osipparser2 allocates from it while a Lending is open; asking for more than the bound gives
// it a null pointer, which it reports as an error. Nothing is ever freed singly, so reading a
// message costs no free calls.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace gatehouse {

class SipArena {
 public:
  static constexpr std::size_t kInlineBytes = 6144;  // an ordinary message never asks the heap
  static constexpr std::size_t kMaxBytes =
      1024 * 1024;  // headers of 65536 and a body of 262144, twice over

  SipArena() = default;
  SipArena(const SipArena&) = delete;
  SipArena& operator=(const SipArena&) = delete;

  // Takes everything back.
  void Clear();
  // Aligned for any type; null beyond kMaxBytes.
  void* Allocate(std::size_t bytes);
  // `count` value-initialised objects; T needs no destructor. Empty beyond kMaxBytes.
  template <class T>
  std::span<T> Array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    auto* memory = static_cast<T*>(Allocate(count * sizeof(T)));
    if (memory == nullptr) return {};
    std::uninitialized_value_construct_n(memory, count);
    return {memory, count};
  }

 private:
  alignas(std::max_align_t) std::array<std::byte, kInlineBytes> first_;
  std::byte* next_ = first_.data();
  std::size_t left_ = kInlineBytes;
  std::size_t taken_ = 0;  // from the heap
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

// While it lives, osipparser2's allocations on this thread come from `arena`.
class OsipLending {
 public:
  explicit OsipLending(SipArena& arena);
  ~OsipLending();
  OsipLending(const OsipLending&) = delete;
  OsipLending& operator=(const OsipLending&) = delete;

 private:
  SipArena* before_;
};

}  // namespace gatehouse
