// One Prometheus counter per direction and result, looked up once.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/base/metrics.h"
#include "core/policy/decide.h"

namespace gatehouse::translator {

enum class FlowResult : std::uint8_t {
  kDelivered,  // the other side took it
  kAnswered,   // the edge itself answered (iq)
  kRefused,    // policy, address or content; the sender was told
  kFailed,     // the other side or the way to it; the sender was told
  kExpired,    // its time ran out; the sender was told
  kIgnored,    // nothing in it that crosses
  kRepeated,   // seen before
};
inline constexpr std::array<std::string_view, 7> kFlowResultNames = {
    "delivered", "answered", "refused", "failed", "expired", "ignored", "repeated"};

class ResultCounters {
 public:
  // `name` such as "gatehouse_stanzas_total", `direction` "in" or "out". `metrics` outlives this
  // object.
  ResultCounters(Metrics& metrics, std::string_view name, std::string_view direction) {
    for (std::size_t i = 0; i < counters_.size(); ++i)
      counters_[i] =
          &metrics.Value(name, "{direction=\"" + std::string(direction) + "\",result=\"" +
                                   std::string(kFlowResultNames[i]) + "\"}");
  }
  void Count(FlowResult result) { *counters_[static_cast<std::size_t>(result)] += 1; }

 private:
  std::array<double*, kFlowResultNames.size()> counters_{};
};

// Policy verdicts by reason.
class VerdictCounters {
 public:
  explicit VerdictCounters(Metrics& metrics) {
    for (std::size_t i = 0; i < counters_.size(); ++i)
      counters_[i] =
          &metrics.Value("gatehouse_policy_verdicts_total",
                         "{reason=\"" + std::string(ReasonCode(static_cast<Reason>(i))) + "\"}");
  }
  void Count(Reason reason) { *counters_.at(static_cast<std::size_t>(reason)) += 1; }

 private:
  std::array<double*, kVerdictReasons> counters_{};
};

}  // namespace gatehouse::translator
