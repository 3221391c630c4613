// The counters of stream acknowledgements, each end's for one direction. XEP-0198 §4. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

// What came: counted when it is read, handled when we have answered for it, which may happen in any
// order. A peer is told only up to the oldest stanza that is not handled.
class HandledCount {
 public:
  // A stanza came. Gives its number, from 1.
  std::uint64_t Take();
  // The stanza of that number is handled; once each.
  void Handle(std::uint64_t number);
  [[nodiscard]] std::uint64_t taken() const { return handled_ + (open_.size() - first_); }
  [[nodiscard]] std::uint64_t handled() const { return handled_; }
  // As it goes on the wire.
  [[nodiscard]] std::uint32_t h() const { return static_cast<std::uint32_t>(handled_); }

 private:
  std::uint64_t handled_ = 0;
  std::vector<bool> open_;  // from first_ on, of handled_ + 1 and on: is it handled?
  std::size_t first_ = 0;
};

// How many of `unacknowledged` stanzas `h` acknowledges anew, where `acknowledged` were before;
// nullopt: it speaks of stanzas that were never sent.
[[nodiscard]] std::optional<std::uint32_t> NewlyAcknowledged(std::uint32_t h,
                                                             std::uint64_t acknowledged,
                                                             std::size_t unacknowledged);
// The attribute `h`; nullopt: no number of 32 bits.
[[nodiscard]] std::optional<std::uint32_t> ParseHandled(std::string_view text);

[[nodiscard]] std::string AckXml(std::uint32_t h);  // "<a xmlns='urn:xmpp:sm:3' h='…'/>"
inline constexpr std::string_view kAckRequestXml = "<r xmlns='urn:xmpp:sm:3'/>";
inline constexpr std::string_view kEnableAcksXml = "<enable xmlns='urn:xmpp:sm:3'/>";
// The stream's end for a peer that acknowledges what was never sent. XEP-0198 §6
[[nodiscard]] std::string HandledTooHighXml(std::uint32_t h, std::uint64_t sent);

}  // namespace gatehouse
