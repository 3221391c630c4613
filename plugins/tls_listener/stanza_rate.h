// Token bucket for the stanzas of one stream, and the end of one that floods (2.11). Pure: time is
// a parameter.
#pragma once

#include <algorithm>

#include "core/base/clock.h"
#include "proto/config.pb.h"

namespace gatehouse {

class StanzaRate {
 public:
  StanzaRate(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Counts one stanza. What was read already is taken even when there is no token left for it.
  void Take(TimePoint now) {
    Refill(now);
    tokens_ -= 1;
    if (now - window_begin_ >= kFloodWindow) {
      window_begin_ = now;
      in_window_ = 0;
    }
    ++in_window_;
  }
  // Within ten seconds came what ten times the rate would bring: not reading does not hold this
  // peer back, because it puts too much into what is read at once.
  [[nodiscard]] bool is_flood() const {
    return in_window_ >= kFloodFactor * per_second_ * static_cast<double>(kFloodWindow.count());
  }
  [[nodiscard]] bool exhausted() const { return tokens_ < 1; }
  // How long to leave the stream unread: until a tenth of a second's worth has grown again.
  [[nodiscard]] milliseconds Pause() const {
    const double missing = std::max(1.0, per_second_ / 10) - tokens_;
    return milliseconds(static_cast<milliseconds::rep>(1000 * missing / per_second_) + 1);
  }

 private:
  static constexpr seconds kFloodWindow{10};
  static constexpr double kFloodFactor = 10;

  void Refill(TimePoint now) {
    if (last_ != TimePoint{}) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    }
    last_ = now;
  }

  double per_second_;
  double burst_;
  double tokens_;
  TimePoint last_{};
  TimePoint window_begin_{};
  double in_window_ = 0;
};

// The operator's, or 50 a second and 200 at once (2.11).
[[nodiscard]] inline StanzaRate RateOf(const proto::Limits& limits) {
  const auto per_second = limits.stanzas_per_second();
  const auto burst = limits.stanza_burst();
  return StanzaRate(per_second == 0 ? 50 : per_second, burst == 0 ? 200 : burst);
}

}  // namespace gatehouse
