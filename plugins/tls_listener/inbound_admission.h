// Who may connect at all: limits by address, before a byte is read (2.11). Pure: time is a
// parameter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"

namespace gatehouse {

struct AdmissionLimits {
  std::uint32_t connections_per_minute = 30;
  std::uint32_t unauthenticated_per_address = 10;
  std::uint32_t verify_requests_per_minute = 200;  // 2.8.4
};

class InboundAdmission {
 public:
  void SetLimits(const AdmissionLimits& limits) { limits_ = limits; }

  // A connection came from `ip`. False: close it without a word. True: it counts as unauthenticated
  // until Settled.
  bool Admit(std::string_view ip, TimePoint now);
  // That connection has a verified pair now, or is gone.
  void Settled(std::string_view ip);
  // A verify request came from `ip`; `weight` 2 for a domain that is no partner's. False:
  // policy-violation.
  bool AdmitVerify(std::string_view ip, int weight, TimePoint now);
  // Forgets addresses with nothing to count; to be called now and then.
  void Sweep(TimePoint now);
  [[nodiscard]] std::size_t addresses() const { return by_ip_.size(); }

 private:
  struct Address {
    TimePoint minute_begin{};
    std::uint32_t connections = 0;  // in this minute
    std::uint32_t verifies = 0;     // in this minute
    std::uint32_t unauthenticated = 0;
  };
  Address& At(std::string_view ip, TimePoint now);

  AdmissionLimits limits_;
  std::unordered_map<std::string, Address> by_ip_;
};

}  // namespace gatehouse
