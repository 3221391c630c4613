// The limits of 2.11 hold for the whole edge, not for each listener: every listener tells
// policy_engine what it holds and learns what its siblings hold.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "ipc/ask_link.h"
#include "plugins/tls_listener/inbound_admission.h"
#include "proto/link_policy.pb.h"

namespace gatehouse {

// What the sibling listeners held when they told last.
class OtherListeners {
 public:
  OtherListeners() = default;
  explicit OtherListeners(const proto::Usage& sum);

  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t StreamsOf(std::string_view partner_id) const;
  [[nodiscard]] bool empty() const {
    return connections_ == 0 && partners_.empty() && addresses_.empty();
  }
  // `address` as InboundAdmission::AddressOf gives it.
  [[nodiscard]] AddressCounts At(const std::string& address) const;

 private:
  std::size_t connections_ = 0;
  std::unordered_map<std::string, std::size_t> partners_;
  std::unordered_map<std::string, AddressCounts> addresses_;
};

class EdgeUsage {
 public:
  // How old what is known of the others may be while all is well. Within it each listener counts
  // what is new alone; a surplus that comes of it is given up as soon as it is known.
  static constexpr milliseconds kPeriod{250};
  // While nobody holds anything there is less to tell; policy_engine forgets who is silent.
  static constexpr seconds kIdlePeriod{1};
  // Without an answer for so long what is known of the others counts no more.
  static constexpr seconds kStale{10};

  struct Setup {
    Loop& loop;
    ipc::AskClient& engine;
    std::function<proto::Usage()> own;
    std::function<void()> on_told;  // others() is new
  };
  explicit EdgeUsage(Setup setup);
  EdgeUsage(const EdgeUsage&) = delete;
  EdgeUsage& operator=(const EdgeUsage&) = delete;

  [[nodiscard]] const OtherListeners& others() const { return others_; }
  // Every kPeriod, by a timer of its own.
  void Tell(TimePoint now);

 private:
  void OnAnswer(const Result<proto::PolicyAnswer>& answer);

  Setup setup_;
  OtherListeners others_;
  TimePoint told_at_{};
  TimePoint answered_at_{};
  bool asking_ = false;
  Timer timer_;
};

}  // namespace gatehouse
