// When a stream that brings stanzas is left unread: the translator has no room for them, or they
// come faster than the peer may send (2.11). TCP tells the peer.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "plugins/tls_listener/stanza_rate.h"

namespace gatehouse {

class ReadingBrake {
 public:
  // `apply` stops reading (false) or goes on (true).
  ReadingBrake(Loop& loop, StanzaRate rate, std::function<void(bool read)> apply)
      : loop_(loop), rate_(rate), apply_(std::move(apply)) {}
  ReadingBrake(const ReadingBrake&) = delete;
  ReadingBrake& operator=(const ReadingBrake&) = delete;

  // A stanza was read. True: this peer floods us, and not reading does not hold it back.
  [[nodiscard]] bool OnStanza(TimePoint now) {
    rate_.Take(now);
    if (rate_.is_flood()) return true;
    if (rate_.exhausted() && !for_rate_) StopForRate();
    return false;
  }
  // False: it was so already.
  bool StopForRoom() {
    if (std::exchange(for_room_, true)) return false;
    apply_(false);
    return true;
  }
  void ResumeForRoom() {
    for_room_ = false;
    apply_(!is_stopped());
  }
  [[nodiscard]] bool is_stopped() const { return for_room_ || for_rate_; }

 private:
  void StopForRate() {
    for_rate_ = true;
    apply_(false);
    if (!timer_)
      timer_.emplace(loop_, [this] {
        for_rate_ = false;
        apply_(!is_stopped());
      });
    timer_->Start(rate_.Pause());
  }

  Loop& loop_;
  StanzaRate rate_;
  std::function<void(bool)> apply_;
  std::optional<Timer> timer_;
  bool for_room_ = false;
  bool for_rate_ = false;
};

}  // namespace gatehouse
