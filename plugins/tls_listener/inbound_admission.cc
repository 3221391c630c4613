#include "plugins/tls_listener/inbound_admission.h"

namespace gatehouse {
namespace {
constexpr std::chrono::minutes kMinute{1};
}

InboundAdmission::Address& InboundAdmission::At(std::string_view ip, TimePoint now) {
  Address& address = by_ip_[std::string(ip)];
  if (now - address.minute_begin < kMinute) return address;
  address.minute_begin = now;
  address.connections = 0;
  address.verifies = 0;
  return address;
}

bool InboundAdmission::Admit(std::string_view ip, TimePoint now) {
  Address& address = At(ip, now);
  if (++address.connections > limits_.connections_per_minute) return false;
  if (address.unauthenticated >= limits_.unauthenticated_per_address) return false;
  ++address.unauthenticated;
  return true;
}

void InboundAdmission::Settled(std::string_view ip) {
  const auto found = by_ip_.find(std::string(ip));
  if (found != by_ip_.end() && found->second.unauthenticated > 0) --found->second.unauthenticated;
}

bool InboundAdmission::AdmitVerify(std::string_view ip, int weight, TimePoint now) {
  Address& address = At(ip, now);
  address.verifies += static_cast<std::uint32_t>(weight);
  return address.verifies <= limits_.verify_requests_per_minute;
}

void InboundAdmission::Sweep(TimePoint now) {
  std::erase_if(by_ip_, [&](const auto& entry) {
    return entry.second.unauthenticated == 0 && now - entry.second.minute_begin >= kMinute;
  });
}

}  // namespace gatehouse
