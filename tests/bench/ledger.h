// What became of each numbered message of one direction: its latency, its order, whether it came at
// all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace gatehouse::bench {

using MessageNumber = std::uint32_t;

// The word in a body or an id that carries the number; the letter after ":gh" tells where it
// stands.
inline constexpr std::string_view kMark = ":gh";
inline constexpr std::size_t kMarkDigits = 8;
[[nodiscard]] std::string Mark(char place, MessageNumber number);
// The number after the first mark of that letter in `text`.
[[nodiscard]] std::optional<MessageNumber> FindMark(std::string_view text, char place);

struct Tally {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t lost = 0;                   // neither delivered nor refused when the phase was over
  std::uint64_t delivered_measured = 0;     // within the measured span
  std::vector<std::uint32_t> latencies_us;  // of those, sorted
};

class Ledger {
 public:
  explicit Ledger(std::size_t pairs) : newest_of_pair_(pairs) {}

  MessageNumber Send(std::size_t pair, TimePoint now);
  // The pair of the message where this is its first arrival.
  std::optional<std::size_t> Arrived(MessageNumber number, TimePoint now);
  // The same for the first word that it will not arrive.
  std::optional<std::size_t> Refused(MessageNumber number);

  void StartMeasuring() { measuring_ = true; }
  void StopMeasuring() { measuring_ = false; }
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
  // Closes the phase; numbering goes on, so that a late message is not taken for one of the next
  // phase.
  [[nodiscard]] Tally TakeTally();

 private:
  enum class State : std::uint8_t { kSent, kDelivered, kRefused, kGivenUp };
  struct Entry {
    TimePoint sent_at;
    std::uint32_t pair;
    State state;
  };

  std::vector<Entry> entries_;
  std::vector<MessageNumber> newest_of_pair_;  // highest number that arrived
  Tally tally_;
  std::size_t phase_start_ = 0;
  std::uint64_t in_flight_ = 0;
  bool measuring_ = false;
};

}  // namespace gatehouse::bench
