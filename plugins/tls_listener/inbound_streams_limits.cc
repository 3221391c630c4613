// What InboundStreams may hold: the limits of 2.11 and 12.5, which are those of the whole edge.
#include <algorithm>
#include <ranges>
#include <utility>

#include "core/base/log.h"
#include "plugins/tls_listener/inbound_streams.h"

namespace gatehouse {
namespace {

// 2.11
constexpr std::uint32_t kConnectionLimit = 1000;
constexpr std::uint32_t kPartnerConnectionLimit = 20;
// Of one report to policy_engine. Who matters among more than these is who holds much.
constexpr std::size_t kMaxAddressesTold = 1000;
// Ended streams wait up to 5 s for their peers' last word: for as many as the limit, or these.
constexpr std::size_t kMinEnded = 100;
// One in so many streams of strangers goes at once for want of memory, the rest a second later.
constexpr std::size_t kPartGivenUp = 4;

std::uint32_t WeightOf(const proto::AddressUsage& address) {
  return address.unauthenticated() + address.connections() + address.verifies();
}

}  // namespace

// --- settings, live

void InboundStreams::SetTimes(const proto::GatewaySettings& gateway) {
  const InboundTimes defaults;
  const auto or_default = [](std::uint32_t value, seconds fallback) {
    return value == 0 ? fallback : seconds{value};
  };
  times_ = {
      .establishment = or_default(gateway.stream_establishment_timeout_s(), defaults.establishment),
      .inactivity = or_default(gateway.stream_inactivity_timeout_s(), defaults.inactivity),
      .keep_alive = or_default(gateway.keep_alive_interval_s(), defaults.keep_alive)};
}

std::size_t InboundStreams::ConnectionLimit() const {
  return OrDefault(rules_.policy->gateway().connection_limit(), kConnectionLimit);
}

// --- who may come

// Without a word, and without a line: strangers could fill the log.
bool InboundStreams::TurnAway(const TcpStream& tcp, double& counter, Reason reason) {
  ++counter;
  const std::string ip = tcp.peer().Ip();
  OnRefused({.address = ip, .reason = reason});
  return false;
}

bool InboundStreams::Admits(const TcpStream& tcp) {
  if (ended_ >= std::max(ConnectionLimit(), kMinEnded))
    return TurnAway(tcp, counters_.connection_limit, Reason::kConnectionLimit);
  switch (admission_.Admit(tcp.peer().Ip(), setup_.loop.Now())) {
    case Admission::kAdmitted:
      return true;
    case Admission::kTooManyAMinute:
      return TurnAway(tcp, counters_.rate_of_address, Reason::kAddressLimit);
    case Admission::kTooManyUnauthenticated:
      return TurnAway(tcp, counters_.unauthenticated_of_address, Reason::kAddressLimit);
  }
  std::unreachable();
}

std::size_t InboundStreams::ConnectionsOfEdge() const {
  return streams_.size() - ended_ + (setup_.others ? setup_.others().connections() : 0);
}

// A flood of half-open streams pushes out its own oldest ones, and so keeps nobody away who proves
// himself in less time than the flood needs to fill the room (12.5).
bool InboundStreams::EvictOldest(StreamNumber newcomer) {
  const auto half_open = [](const auto& each) {
    return each.second->counts_as_unauthenticated() && !each.second->ended();
  };
  const auto oldest = std::ranges::find_if(streams_, half_open);
  if (oldest == streams_.end() || oldest->first >= newcomer) return false;
  ++counters_.evicted;
  oldest->second->CloseWith(StreamCondition::kResourceConstraint, Reason::kConnectionLimit);
  return true;
}

bool InboundStreams::HasRoomFor(const proto::Partner& partner) const {
  const std::uint32_t limit = OrDefault(
      partner.connection_limit(),
      OrDefault(rules_.policy->gateway().partner_connection_limit(), kPartnerConnectionLimit));
  std::size_t used = StreamsOf(partner.id());
  if (setup_.outbound_streams) used += setup_.outbound_streams(partner.id());
  if (setup_.others) used += setup_.others().StreamsOf(partner.id());
  if (used < limit) return true;
  ++counters_.partner_limit;
  return false;
}

void InboundStreams::GiveUpIdlest() {
  std::vector<std::pair<TimePoint, StreamNumber>> strangers;
  for (const auto& [number, stream] : streams_)
    if (stream->counts_as_unauthenticated() && !stream->ended())
      strangers.emplace_back(stream->last_heard(), number);
  std::ranges::sort(strangers);
  strangers.resize((strangers.size() + kPartGivenUp - 1) / kPartGivenUp);
  for (const auto& [heard, number] : strangers) {
    InboundStream* stream = Find(number);
    if (stream == nullptr) continue;
    ++counters_.memory;
    stream->CloseWith(StreamCondition::kResourceConstraint);
  }
}

// --- together with the other listeners

void InboundStreams::KeepToLimits() {
  if (!rules_.policy) return;
  const std::size_t own = streams_.size() - ended_;
  const std::size_t total = ConnectionsOfEdge();
  const std::size_t limit = ConnectionLimit();
  const std::size_t part = total > limit ? PartOfSurplus(total - limit, own, total) : 0;
  for (std::size_t given_up = 0; given_up < part; ++given_up)
    if (!EvictOldest(StreamNumber{next_number_})) break;
  if (setup_.others) GiveUpSurplusOfAddresses();
}

// The newest go: alone at one listener they would not have been let in.
void InboundStreams::GiveUpSurplusOfAddresses() {
  std::map<std::string, std::uint32_t> surplus;
  admission_.ForEach(setup_.loop.Now(), [&](const std::string& address, const AddressCounts&) {
    if (const std::uint32_t count = admission_.SurplusOf(address); count > 0)
      surplus[address] = count;
  });
  if (surplus.empty()) return;
  std::vector<StreamNumber> newest_first;
  for (const auto& [number, stream] : streams_ | std::views::reverse)
    if (stream->counts_as_unauthenticated() && !stream->ended()) newest_first.push_back(number);
  for (const StreamNumber number : newest_first) {
    InboundStream* stream = Find(number);
    if (stream == nullptr) continue;
    const auto found = surplus.find(InboundAdmission::AddressOf(stream->ip()));
    if (found == surplus.end() || found->second == 0) continue;
    --found->second;
    ++counters_.unauthenticated_of_address;
    stream->CloseWith(StreamCondition::kPolicyViolation, Reason::kAddressLimit);
  }
}

std::size_t InboundStreams::StreamsOf(std::string_view partner_id) const {
  const auto found = proven_.find(partner_id);
  return found == proven_.end() ? 0 : found->second;
}

void InboundStreams::ForEachProven(
    const std::function<void(std::string_view partner_id, std::size_t streams)>& visit) const {
  for (const auto& [partner_id, streams] : proven_) visit(partner_id, streams);
}

void InboundStreams::CountAsProven(InboundStream& stream) {
  if (stream.machine().partner_id().empty()) return;
  stream.CountFor(stream.machine().partner_id());
  ++proven_[stream.counted_for()];
}

void InboundStreams::CountNoMore(InboundStream& stream) {
  if (stream.counted_for().empty()) return;
  const auto found = proven_.find(stream.counted_for());
  if (found != proven_.end() && --found->second == 0) proven_.erase(found);
  stream.CountFor({});
}

void InboundStreams::AddUsage(proto::Usage& usage) const {
  usage.set_connections(static_cast<std::uint32_t>(streams_.size() - ended_));
  std::vector<proto::AddressUsage> addresses;
  admission_.ForEach(setup_.loop.Now(), [&](const std::string& name, const AddressCounts& counts) {
    proto::AddressUsage& address = addresses.emplace_back();
    address.set_address(name);
    address.set_unauthenticated(counts.unauthenticated);
    address.set_connections(counts.connections);
    address.set_verifies(counts.verifies);
  });
  if (addresses.size() > kMaxAddressesTold) {
    std::ranges::nth_element(addresses, addresses.begin() + kMaxAddressesTold, std::greater{},
                             WeightOf);
    addresses.resize(kMaxAddressesTold);
  }
  for (proto::AddressUsage& address : addresses) *usage.add_addresses() = std::move(address);
}

}  // namespace gatehouse
