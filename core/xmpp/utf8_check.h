// Streaming check that bytes are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gatehouse {

class Utf8Check {
 public:
  // Takes any split of the text; a sequence cut by the end of `bytes` is completed by the next
  // call. Gives how many leading bytes are sound: all of them, or the index of the first that is
  // not. After an unsound byte the object must not be used again.
  //   source  RFC 3629 §4
  [[nodiscard]] std::size_t Feed(std::span<const std::byte> bytes);

 private:
  int missing_ = 0;             // continuation bytes the current sequence still needs
  std::uint8_t lowest_ = 0x80;  // bounds of the next continuation byte
  std::uint8_t highest_ = 0xBF;
};

}  // namespace gatehouse
