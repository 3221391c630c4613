#include "plugins/sip_translator/next_hop_health.h"

#include <optional>
#include <set>
#include <utility>

#include "core/base/log.h"
#include "core/sip/sip_uri.h"
#include "core/tls/crypto.h"
#include "proto/config.pb.h"

namespace gatehouse {
namespace {

constexpr milliseconds kQuiet{60000};
constexpr milliseconds kLook{5000};
constexpr int kMissesUntilDown = 2;
constexpr std::size_t kTagBytes = 8;
constexpr std::size_t kBranchBytes = 16;

}  // namespace

NextHopHealth::NextHopHealth(Loop& loop, Metrics& metrics, SipEndpoint& endpoint, std::string host)
    : loop_(loop),
      metrics_(metrics),
      endpoint_(endpoint),
      host_(std::move(host)),
      timer_(loop, [this] { AskQuietOnes(); }) {
  timer_.StartRepeating(kLook);
}

void NextHopHealth::Watch(const proto::Config& config) {
  std::set<std::string> wanted;
  for (const proto::Domain& domain : config.domains())
    if (!domain.next_hop().empty()) wanted.insert(domain.next_hop());
  std::erase_if(hops_, [&](const auto& hop) { return !wanted.contains(hop.first); });
  for (const std::string& next_hop : wanted) {
    const auto [found, fresh] = hops_.try_emplace(next_hop);
    if (!fresh) continue;
    found->second.ask_at = loop_.Now() + kQuiet;
    found->second.up =
        &metrics_.Value("gatehouse_sip_next_hop_up", "{next_hop=\"" + next_hop + "\"}");
    *found->second.up = 1;
  }
}

void NextHopHealth::OnTraffic(std::string_view next_hop) {
  if (const auto found = hops_.find(next_hop); found != hops_.end())
    found->second.ask_at = loop_.Now() + kQuiet;
}

void NextHopHealth::AskQuietOnes() {
  const TimePoint now = loop_.Now();
  for (auto& [next_hop, hop] : hops_)
    if (!hop.asking && hop.ask_at <= now) Ask(next_hop, hop);
}

std::optional<SipOutgoing> OptionsTo(const std::string& next_hop, const std::string& host) {
  const auto uri = SipUri::Parse(next_hop);
  if (!uri) return std::nullopt;
  const std::string target = std::string(uri->scheme) + ':' + std::string(uri->host);
  const std::string from = "sip:" + host;
  const std::string tag = RandomHex(kTagBytes);
  const std::string call_id = RandomHex(kBranchBytes) + '@' + host;
  const std::string branch = "z9hG4bK" + RandomHex(kBranchBytes);
  return SipOutgoing({.method = "OPTIONS",
                      .request_uri = target,
                      .from_uri = from,
                      .from_tag = tag,
                      .to_uri = target,
                      .call_id = call_id,
                      .branch = branch,
                      .next_hop = next_hop});
}

void NextHopHealth::Ask(const std::string& next_hop, Hop& hop) {
  auto options = OptionsTo(next_hop, host_);
  if (!options) return;
  hop.asking = true;
  const auto sent = endpoint_.SendRequest(
      *std::move(options), [this, next_hop](const SipFinal& final) { OnAnswer(next_hop, final); });
  if (!sent) hop.asking = false;
}

// Any final answer, even 404, is a sign of life (11.5).
void NextHopHealth::OnAnswer(const std::string& next_hop, const SipFinal& final) {
  const auto found = hops_.find(next_hop);
  if (found == hops_.end()) return;
  Hop& hop = found->second;
  hop.asking = false;
  hop.ask_at = loop_.Now() + kQuiet;
  const bool alive = final.failure == SipFailure::kNone;
  hop.misses = alive ? 0 : hop.misses + 1;
  const bool up = hop.misses < kMissesUntilDown;
  if (up == (*hop.up > 0)) return;
  *hop.up = up ? 1 : 0;
  Log(up ? LogLevel::kNotice : LogLevel::kWarning, up ? "sip-next-hop-up" : "sip-next-hop-down",
      {{"next_hop", next_hop}});
}

}  // namespace gatehouse
