// Asks quiet next hops with OPTIONS whether they live: every 60 s, two misses in a row mean
// down. 11.4, 11.5
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse {

// The OPTIONS that asks `next_hop`, a SIP URI, whether it lives; `host` is our name. None where
// that is no URI.
[[nodiscard]] std::optional<SipOutgoing> OptionsTo(const std::string& next_hop,
                                                   const std::string& host);

class NextHopHealth {
 public:
  // The references outlive this object; `host` is our name in From.
  NextHopHealth(Loop& loop, Metrics& metrics, SipEndpoint& endpoint, std::string host);

  // Watches the fixed next hops of `config` and no others any more.
  void Watch(const proto::Config& config);
  // Something is being sent to `next_hop`: no need to ask it.
  void OnTraffic(std::string_view next_hop);

 private:
  struct Hop {
    TimePoint ask_at;
    int misses = 0;
    bool asking = false;
    double* up = nullptr;
  };
  void AskQuietOnes();
  void Ask(const std::string& next_hop, Hop& hop);
  void OnAnswer(const std::string& next_hop, const SipFinal& final);

  Loop& loop_;
  Metrics& metrics_;
  SipEndpoint& endpoint_;
  std::string host_;
  std::map<std::string, Hop, std::less<>> hops_;
  Timer timer_;
};

}  // namespace gatehouse
