#include "tests/bench/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace gatehouse::bench {

std::string Mark(char place, MessageNumber number) {
  return fmt::format("{}{}{:08}", kMark, place, number);
}

std::optional<MessageNumber> FindMark(std::string_view text, char place) {
  for (auto at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at + 1)) {
    const std::string_view mark = text.substr(at + kMark.size());
    if (mark.size() <= kMarkDigits || mark.front() != place) continue;
    MessageNumber number = 0;
    const char* digits = mark.data() + 1;
    if (std::from_chars(digits, digits + kMarkDigits, number).ptr == digits + kMarkDigits)
      return number;
  }
  return std::nullopt;
}

MessageNumber Ledger::Send(std::size_t pair, TimePoint now) {
  entries_.push_back({now, static_cast<std::uint32_t>(pair), State::kSent});
  ++tally_.sent;
  ++in_flight_;
  return static_cast<MessageNumber>(entries_.size() - 1);
}

std::optional<std::size_t> Ledger::Arrived(MessageNumber number, TimePoint now) {
  if (number >= entries_.size()) return std::nullopt;
  Entry& entry = entries_[number];
  if (entry.state != State::kSent) {
    if (entry.state == State::kDelivered) ++tally_.duplicates;
    return std::nullopt;
  }
  entry.state = State::kDelivered;
  --in_flight_;
  ++tally_.delivered;
  MessageNumber& newest = newest_of_pair_[entry.pair];
  if (number < newest) ++tally_.out_of_order;
  newest = std::max(newest, number);
  if (measuring_) {
    ++tally_.delivered_measured;
    const auto span = std::chrono::duration_cast<std::chrono::microseconds>(now - entry.sent_at);
    tally_.latencies_us.push_back(static_cast<std::uint32_t>(span.count()));
  }
  return entry.pair;
}

std::optional<std::size_t> Ledger::Refused(MessageNumber number) {
  if (number >= entries_.size() || entries_[number].state != State::kSent) return std::nullopt;
  entries_[number].state = State::kRefused;
  --in_flight_;
  ++tally_.refused;
  return entries_[number].pair;
}

Tally Ledger::TakeTally() {
  for (std::size_t i = phase_start_; i < entries_.size(); ++i)
    if (entries_[i].state == State::kSent) {
      entries_[i].state = State::kGivenUp;
      ++tally_.lost;
    }
  phase_start_ = entries_.size();
  in_flight_ = 0;
  std::sort(tally_.latencies_us.begin(), tally_.latencies_us.end());
  return std::exchange(tally_, {});
}

}  // namespace gatehouse::bench
