#include "plugins/tls_listener/synthetic_streams.h"

#include <chrono>
#include <unordered_set>
#include <utility>

#include "core/base/log.h"

namespace gatehouse {
namespace {

constexpr milliseconds kLook = seconds{1};
constexpr std::string_view kOk = "ok";

// A partner that is one for now.
bool IsTried(const PolicyView& policy, const proto::Partner& partner) {
  return policy.FindPartner(partner.domain()) == &partner;
}

std::string Labels(const std::string& domain, std::string_view result) {
  return "{partner=\"" + domain + "\",result=\"" + std::string(result) + "\"}";
}

}  // namespace

SyntheticStreams::SyntheticStreams(Setup setup)
    : setup_(std::move(setup)), timer_(setup_.loop, [this] { Look(setup_.loop.Now()); }) {}

// Where in the interval it is: by its id, so that all of them are spread over it.
milliseconds SyntheticStreams::Share(const std::string& id) const {
  const auto whole = std::chrono::duration_cast<milliseconds>(interval_).count();
  return milliseconds(
      static_cast<std::int64_t>(std::hash<std::string>{}(id) % static_cast<std::uint64_t>(whole)));
}

void SyntheticStreams::SetPolicy(PolicyPointer policy) {
  policy_ = std::move(policy);
  const seconds interval{policy_->gateway().synthetic_interval_s()};
  if (interval != interval_) watched_.clear();
  interval_ = interval;
  if (interval_ == seconds{0}) return Stop();
  std::unordered_set<std::string> tried;
  for (const proto::Partner& partner : policy_->snapshot().partners())
    if (IsTried(*policy_, partner)) {
      tried.insert(partner.id());
      const auto [found, fresh] = watched_.try_emplace(partner.id());
      if (fresh) found->second.due = setup_.loop.Now() + Share(partner.id());
    }
  std::erase_if(watched_, [&tried](const auto& each) { return !tried.contains(each.first); });
  if (!timer_.active()) timer_.StartRepeating(kLook);
}

void SyntheticStreams::Stop() {
  timer_.Stop();
  watched_.clear();
}

void SyntheticStreams::Look(TimePoint now) {
  if (!policy_) return;
  for (const proto::Partner& partner : policy_->snapshot().partners()) {
    const auto found = watched_.find(partner.id());
    if (found == watched_.end() || found->second.trying || found->second.due > now) continue;
    if (!IsTried(*policy_, partner)) continue;  // its time may be over since
    if (setup_.is_live(partner.id())) {
      found->second.due = now + interval_;
      Note(partner.id(), partner.domain(), std::string(kOk), "a stream is open", milliseconds{0});
    } else if (under_way_ < kAtOnce) {
      Try(partner, found->second, now);
    }
  }
}

void SyntheticStreams::Try(const proto::Partner& partner, Watched& watched, TimePoint now) {
  watched.trying = true;
  watched.due = now + interval_;
  ++under_way_;
  setup_.test(partner.domain(), [this, id = partner.id(), domain = partner.domain(),
                                 now](const proto::CtlResponse& response) {
    --under_way_;
    const proto::TestReport& report = response.test();
    const std::string& reason = report.reason();
    const auto took = std::chrono::duration_cast<milliseconds>(setup_.loop.Now() - now);
    if (const auto found = watched_.find(id); found != watched_.end()) found->second.trying = false;
    Note(id, domain, report.ok() ? std::string(kOk) : reason.substr(0, reason.find(':')), reason,
         took);
  });
}

void SyntheticStreams::Note(const std::string& id, const std::string& domain,
                            const std::string& result, std::string_view why, milliseconds took) {
  const auto found = watched_.find(id);
  if (found == watched_.end()) return;  // no partner any more
  const bool ok = result == kOk;
  ++setup_.metrics.Value("gatehouse_synthetic_stream", Labels(domain, ok ? "ok" : "failed"));
  if (took > milliseconds{0})
    setup_.metrics.Value("gatehouse_synthetic_stream_seconds", "{partner=\"" + domain + "\"}") =
        static_cast<double>(took.count()) / 1000.0;
  if (std::exchange(found->second.result, result) == result) return;
  Log(ok ? LogLevel::kNotice : LogLevel::kWarning, "synthetic-stream",
      {{"partner", domain}, {"result", result}, {"why", ok && why.empty() ? "opened" : why}});
}

}  // namespace gatehouse
