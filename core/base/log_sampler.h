// Keeps one peer from filling the log: ten lines a second, or other span, each (12.5). Pure,
// bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/base/clock.h"

namespace gatehouse {

class LogSampler {
 public:
  static constexpr std::int64_t kLines = 10;  // in a span
  static constexpr std::size_t kMaxPeers = 4096;
  explicit LogSampler(const Clock& clock, seconds span = seconds{1}) : clock_(clock), span_(span) {}
  // nullopt: this line is left out. Otherwise how many were left out since the peer's last line.
  std::optional<std::int64_t> Admit(const std::string& peer);

 private:
  struct Peer {
    TimePoint since;
    std::int64_t lines = 0;
    std::int64_t left_out = 0;
  };
  const Clock& clock_;
  seconds span_;
  std::unordered_map<std::string, Peer> peers_;
};

}  // namespace gatehouse
