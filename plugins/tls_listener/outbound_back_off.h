// When a pair may try again after a failure (3.7, 3.8). Pure.
#pragma once

#include <optional>

#include "core/base/clock.h"
#include "core/xmpp/outbound_fault.h"
#include "core/xmpp/outbound_targets.h"

namespace gatehouse {

class OutboundBackOff {
 public:
  // Nobody waits longer for a next attempt.
  static constexpr milliseconds kLongestWait = seconds{900};

  explicit OutboundBackOff(RandomBelow random) : random_(std::move(random)) {}

  // No stream could be opened.
  void OnFailed(const OutboundFault& fault, TimePoint now);
  void OnOpened(TimePoint now);
  // An open stream ended. One that lived for 60 s has made up for all before it.
  void OnLost(const OutboundFault& fault, TimePoint now);

  // Zero when an attempt may start.
  [[nodiscard]] milliseconds Remaining(TimePoint now) const;
  // Why we wait; what new stanzas are told meanwhile.
  [[nodiscard]] const OutboundFault& last_fault() const { return last_; }

 private:
  milliseconds Random(milliseconds below) const;
  milliseconds Grown(milliseconds base) const;

  RandomBelow random_;
  OutboundFault last_;
  int failures_ = 0;  // in a row
  std::optional<TimePoint> opened_;
  TimePoint not_before_{};
};

}  // namespace gatehouse
