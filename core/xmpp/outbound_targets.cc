#include "core/xmpp/outbound_targets.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

struct Candidate {
  std::uint16_t priority;
  std::uint16_t weight;
  OutboundTarget target;
};

// "." alone: the service is decidedly not offered. RFC 2782
bool IsDecline(const DnsAnswer<SrvRecord>& answer) {
  return answer.status == DnsStatus::kOk && answer.records.size() == 1 &&
         answer.records.front().target.empty();
}

void Collect(const DnsAnswer<SrvRecord>& answer, bool direct_tls, std::vector<Candidate>& out) {
  if (answer.status != DnsStatus::kOk) return;
  for (const SrvRecord& record : answer.records) {
    // An address is no host name. RFC 2782, "Target"
    if (record.target.empty() || record.port == 0 || SocketAddress::FromIp(record.target, 1))
      continue;
    out.push_back(
        {record.priority, record.weight, {record.target, record.port, direct_tls, answer.secure}});
  }
}

// Moves one candidate out of `same`, all of one priority. RFC 2782, "Weight"
Candidate TakeByWeight(std::vector<Candidate>& same, const RandomBelow& random) {
  std::ranges::stable_partition(same, [](const Candidate& each) { return each.weight == 0; });
  const std::uint32_t total =
      std::accumulate(same.begin(), same.end(), std::uint32_t{0},
                      [](std::uint32_t sum, const Candidate& each) { return sum + each.weight; });
  const std::uint32_t pick = random(total + 1);
  std::uint32_t sum = 0;
  auto chosen = std::ranges::find_if(same, [&](const Candidate& each) {
    sum += each.weight;
    return sum >= pick;
  });
  Candidate taken = std::move(*chosen);
  same.erase(chosen);
  return taken;
}

std::vector<OutboundTarget> Order(std::vector<Candidate> all, const RandomBelow& random) {
  std::ranges::stable_sort(all, {}, &Candidate::priority);
  std::vector<OutboundTarget> ordered;
  while (!all.empty() && ordered.size() < kMaxTargets) {
    const auto end = std::ranges::find_if(
        all,
        [first = all.front().priority](const Candidate& each) { return each.priority != first; });
    std::vector<Candidate> same(std::make_move_iterator(all.begin()), std::make_move_iterator(end));
    all.erase(all.begin(), end);
    while (!same.empty() && ordered.size() < kMaxTargets)
      ordered.push_back(TakeByWeight(same, random).target);
  }
  return ordered;
}

}  // namespace

RandomBelow SystemRandom() {
  return [](std::uint32_t below) {
    std::uint64_t value = 0;
    const std::string bytes = RandomBytes(sizeof value);
    std::memcpy(&value, bytes.data(), sizeof value);
    return static_cast<std::uint32_t>(value % below);  // bias below 2^-32
  };
}

TargetPlan PlanTargets(std::string_view domain, const DnsAnswer<SrvRecord>& xmpp_server,
                       const DnsAnswer<SrvRecord>& xmpps_server, const RandomBelow& random) {
  std::vector<Candidate> candidates;
  Collect(xmpp_server, false, candidates);
  Collect(xmpps_server, true, candidates);
  if (!candidates.empty())
    return {TargetPlan::Kind::kTargets, Order(std::move(candidates), random), true};
  const bool trouble =
      xmpp_server.status == DnsStatus::kTemporary || xmpps_server.status == DnsStatus::kTemporary;
  if (trouble) return {TargetPlan::Kind::kTrouble, {}, false};
  if (IsDecline(xmpp_server) || IsDecline(xmpps_server))
    return {TargetPlan::Kind::kNotFound, {}, true};
  if (xmpp_server.status == DnsStatus::kOk && !xmpp_server.records.empty())
    return {TargetPlan::Kind::kNotFound, {}, true};
  return {TargetPlan::Kind::kTargets, {{std::string(domain), kServerPort, false}}, false};
}

bool MayResolve(std::string_view domain) {
  return domain.find('.') != std::string_view::npos && !SocketAddress::FromIp(domain, 1);
}

bool NamesItsPort(std::string_view host) {
  const std::string_view behind = host.substr(std::min(host.size(), host.find(']') + 1));
  return behind.find(':') != std::string_view::npos;
}

Result<OutboundTarget> ProxyTarget(std::string_view proxy) {
  const auto bad = [&] {
    return BadConfig("proxy: not HOST or HOST:PORT: '" + std::string(proxy) + "'");
  };
  std::string_view host = proxy;
  std::string_view port;
  if (proxy.starts_with('[')) {
    const auto close = proxy.find(']');
    if (close == std::string_view::npos) return bad();
    host = proxy.substr(1, close - 1);
    port = proxy.substr(close + 1);
    if (!port.empty() && port.front() != ':') return bad();
  } else if (const auto colon = proxy.find(':'); colon != std::string_view::npos) {
    host = proxy.substr(0, colon);
    port = proxy.substr(colon);
  }
  if (host.empty()) return bad();
  OutboundTarget target{std::string(host), kServerPort, false};
  if (port.empty()) return target;
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
  if (error != std::errc{} || end != port.data() + port.size() || target.port == 0) return bad();
  return target;
}

bool TargetGuard::MayConnect(const SocketAddress& to) const {
  const bool loopback_allowed = allow_loopback_ && to.IsLoopback();
  if (to.IsForbiddenTarget() && !loopback_allowed) return false;
  const std::string text = to.ToText();
  return std::ranges::none_of(own_, [&](const SocketAddress& own) { return own.ToText() == text; });
}

bool TargetGuard::IsOurselves(const SocketAddress& local, const SocketAddress& peer) const {
  if (local.Ip() != peer.Ip()) return false;
  return std::ranges::any_of(own_, [&](const SocketAddress& own) {
    const std::string ip = own.Ip();
    return own.Port() == peer.Port() && (ip == "0.0.0.0" || ip == "::");
  });
}

}  // namespace gatehouse
