// Tries the way to each partner without a message: `gateway set --synthetic-interval`. A partner
// with a stream of ours is reached as it is.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "core/policy/policy_view.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

class SyntheticStreams {
 public:
  static constexpr int kAtOnce = 4;  // streams under way; the rest wait

  struct Setup {
    Loop& loop;
    Metrics& metrics;
    // Opens one to the domain and closes it; `answer` is called once.
    std::function<void(const std::string& domain, std::function<void(proto::CtlResponse)> answer)>
        test;
    // A stream with the partner of this id is open.
    std::function<bool(const std::string& partner_id)> is_live;
  };
  explicit SyntheticStreams(Setup setup);
  SyntheticStreams(const SyntheticStreams&) = delete;
  SyntheticStreams& operator=(const SyntheticStreams&) = delete;

  // Each new snapshot: its partners and its interval hold from now on.
  void SetPolicy(PolicyPointer policy);
  void Stop();
  // Tries those that are due. Once a second by a timer of its own.
  void Look(TimePoint now);

 private:
  struct Watched {
    TimePoint due{};
    bool trying = false;
    std::string result;  // "ok", or the code of a reason; empty: not known yet
  };
  void Try(const proto::Partner& partner, Watched& watched, TimePoint now);
  void Note(const std::string& id, const std::string& domain, const std::string& result,
            std::string_view why, milliseconds took);
  [[nodiscard]] milliseconds Share(const std::string& id) const;

  Setup setup_;
  PolicyPointer policy_;
  seconds interval_{0};
  std::unordered_map<std::string, Watched> watched_;  // by partner id
  int under_way_ = 0;
  Timer timer_;
};

}  // namespace gatehouse
