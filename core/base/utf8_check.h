// Checks that bytes are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. RFC 3629 §4
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

// For a text that comes in pieces.
class Utf8Check {
 public:
  // Takes any split of the text; a sequence cut by the end of `bytes` is completed by the next
  // call. Gives how many leading bytes are sound: all of them, or the index of the first that is
  // not. After an unsound byte the object must not be used again.
  [[nodiscard]] std::size_t Feed(std::span<const std::byte> bytes);
  // No sequence is cut where the text ends so far.
  [[nodiscard]] bool complete() const { return missing_ == 0; }

 private:
  int missing_ = 0;             // continuation bytes the current sequence still needs
  std::uint8_t lowest_ = 0x80;  // bounds of the next continuation byte
  std::uint8_t highest_ = 0xBF;
};

// For a whole text.
[[nodiscard]] bool IsUtf8(std::string_view text);
// How many octets the first character of `text` has, 1 to 4; 0 if it does not begin with a sound
// one.
[[nodiscard]] std::size_t CharacterLength(std::string_view text);
// What `text` (UTF-8) begins with, of at most `max_octets`; no character is cut in two.
[[nodiscard]] std::string_view BeginningOf(std::string_view text, std::size_t max_octets);
// Foreign words, such as a library's error: U+FFFD for each octet that belongs to no sound
// character.
[[nodiscard]] std::string AsUtf8(std::string_view text);

}  // namespace gatehouse
