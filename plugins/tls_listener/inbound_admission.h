// Who may connect at all: limits by address, before a byte is read (2.11). Pure: time is a
// parameter.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"

namespace gatehouse {

// A limit that is 0 where it was left out.
[[nodiscard]] constexpr std::uint32_t OrDefault(std::uint32_t limit, std::uint32_t otherwise) {
  return limit != 0 ? limit : otherwise;
}

struct AdmissionLimits {
  std::uint32_t connections_per_minute = 30;
  std::uint32_t unauthenticated_per_address = 10;
  std::uint32_t verify_requests_per_minute = 200;  // 2.8.4
};

// What came from one address.
struct AddressCounts {
  std::uint32_t connections = 0;  // in this minute
  std::uint32_t verifies = 0;     // in this minute
  std::uint32_t unauthenticated = 0;
};

enum class Admission : std::uint8_t { kAdmitted, kTooManyAMinute, kTooManyUnauthenticated };

class InboundAdmission {
 public:
  // What the other listeners of this edge count for an address of AddressOf; the limits hold for
  // the sum.
  using Others = std::function<AddressCounts(const std::string& address)>;
  explicit InboundAdmission(Others others = {}) : others_(std::move(others)) {}

  void SetLimits(const AdmissionLimits& limits) { limits_ = limits; }

  // What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, which is what
  // a single host is given.
  [[nodiscard]] static std::string AddressOf(std::string_view ip);

  // A connection came from `ip`. Unless kAdmitted close it without a word. Admitted it counts as
  // unauthenticated until Settled.
  Admission Admit(std::string_view ip, TimePoint now);
  // That connection has a verified pair now, or is gone.
  void Settled(std::string_view ip);
  // A verify request came from `ip`; `weight` 2 for a domain that is no partner's. False:
  // policy-violation.
  bool AdmitVerify(std::string_view ip, int weight, TimePoint now);
  // How many unauthenticated connections of this listener the address has to give up, where all
  // listeners together hold more than the limit: each its part of the surplus.
  [[nodiscard]] std::uint32_t SurplusOf(std::string_view ip) const;
  // Forgets addresses with nothing to count; to be called now and then.
  void Sweep(TimePoint now);
  [[nodiscard]] std::size_t addresses() const { return by_address_.size(); }
  // Each address with what counts now.
  void ForEach(TimePoint now,
               const std::function<void(const std::string& address, const AddressCounts& counts)>&
                   visit) const;

 private:
  struct Entry {
    TimePoint minute_begin{};
    AddressCounts counts;
  };
  Entry& At(const std::string& address, TimePoint now);
  [[nodiscard]] AddressCounts OthersAt(const std::string& address) const;

  Others others_;
  AdmissionLimits limits_;
  std::unordered_map<std::string, Entry> by_address_;
};

// The part of `surplus` that the holder of `own` among `total` gives up, rounded up.
[[nodiscard]] constexpr std::size_t PartOfSurplus(std::size_t surplus, std::size_t own,
                                                  std::size_t total) {
  return total == 0 ? 0 : (surplus * own + total - 1) / total;
}

}  // namespace gatehouse
