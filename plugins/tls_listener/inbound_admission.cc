#include "plugins/tls_listener/inbound_admission.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace gatehouse {
namespace {

constexpr std::chrono::minutes kMinute{1};
constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 address: a /64

}  // namespace

std::string InboundAdmission::AddressOf(std::string_view ip) {
  std::string text(ip);
  in6_addr address{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return text;
  std::fill(std::begin(address.s6_addr) + kNetworkBytes, std::end(address.s6_addr),
            std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> network{};
  inet_ntop(AF_INET6, &address, network.data(), network.size());
  return std::string(network.data()) + "/64";
}

InboundAdmission::Entry& InboundAdmission::At(const std::string& address, TimePoint now) {
  Entry& entry = by_address_[address];
  if (now - entry.minute_begin < kMinute) return entry;
  entry.minute_begin = now;
  entry.counts.connections = 0;
  entry.counts.verifies = 0;
  return entry;
}

AddressCounts InboundAdmission::OthersAt(const std::string& address) const {
  return others_ ? others_(address) : AddressCounts{};
}

Admission InboundAdmission::Admit(std::string_view ip, TimePoint now) {
  const std::string address = AddressOf(ip);
  AddressCounts& own = At(address, now).counts;
  const AddressCounts others = OthersAt(address);
  ++own.connections;
  if (own.connections + others.connections > limits_.connections_per_minute)
    return Admission::kTooManyAMinute;
  if (own.unauthenticated + others.unauthenticated >= limits_.unauthenticated_per_address)
    return Admission::kTooManyUnauthenticated;
  ++own.unauthenticated;
  return Admission::kAdmitted;
}

void InboundAdmission::Settled(std::string_view ip) {
  const auto found = by_address_.find(AddressOf(ip));
  if (found != by_address_.end() && found->second.counts.unauthenticated > 0)
    --found->second.counts.unauthenticated;
}

bool InboundAdmission::AdmitVerify(std::string_view ip, int weight, TimePoint now) {
  const std::string address = AddressOf(ip);
  AddressCounts& own = At(address, now).counts;
  own.verifies += static_cast<std::uint32_t>(weight);
  return own.verifies + OthersAt(address).verifies <= limits_.verify_requests_per_minute;
}

std::uint32_t InboundAdmission::SurplusOf(std::string_view ip) const {
  const std::string address = AddressOf(ip);
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return 0;
  const std::uint32_t own = found->second.counts.unauthenticated;
  const std::uint32_t total = own + OthersAt(address).unauthenticated;
  if (total <= limits_.unauthenticated_per_address) return 0;
  return static_cast<std::uint32_t>(
      PartOfSurplus(total - limits_.unauthenticated_per_address, own, total));
}

void InboundAdmission::Sweep(TimePoint now) {
  std::erase_if(by_address_, [&](const auto& each) {
    return each.second.counts.unauthenticated == 0 && now - each.second.minute_begin >= kMinute;
  });
}

void InboundAdmission::ForEach(
    TimePoint now,
    const std::function<void(const std::string& address, const AddressCounts& counts)>& visit)
    const {
  for (const auto& [address, entry] : by_address_) {
    AddressCounts counts = entry.counts;
    if (now - entry.minute_begin >= kMinute) counts.connections = counts.verifies = 0;
    if (counts.connections + counts.verifies + counts.unauthenticated > 0) visit(address, counts);
  }
}

}  // namespace gatehouse
