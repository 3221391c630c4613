#include "core/supervisor/status_notices.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <optional>
#include <string_view>

#include "core/config/plain_sip.h"
#include "core/policy/access_notice.h"
#include "core/policy/certificate_notice.h"
#include "core/policy/peer_notice.h"

namespace gatehouse {
namespace {

constexpr std::int64_t kDay = 86'400;

struct SlotUser {
  std::string_view slot;
  std::string_view plugin;  // whose workers show what is in it
};
constexpr std::array kSlotUsers = {SlotUser{"xmpp", "tls_listener"},
                                   SlotUser{"sip", "sip_translator"}};

// From so many on, one that starts is one that dies again and again.
constexpr std::uint32_t kManyRestarts = 3;

std::string MinuteOf(std::int64_t unix_s) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(unix_s)));
}

class Notices {
 public:
  Notices(const proto::Config& config, const proto::StatusReport& report, std::int64_t now)
      : config_(config), report_(report), now_(now) {}

  std::vector<std::string> Collect(const proto::RenewalView* renewal) {
    AddIdlePlugins();
    if (Largest({}, kNobodyMayMetric).value_or(0) != 0) notices_.emplace_back(kNobodyMay);
    AddSipPeers();
    for (const SlotUser& user : kSlotUsers) AddSlot(user);
    if (renewal != nullptr)
      AddRenewal(*renewal);
    else
      AddUnexplainedFailures();
    return std::move(notices_);
  }

 private:
  // Of the counter in any worker of `plugin` (empty: of all); nullopt: nobody has it.
  [[nodiscard]] std::optional<double> Largest(std::string_view plugin, std::string_view name,
                                              std::string_view labels = {}) const {
    std::optional<double> largest;
    for (const proto::WorkerStatus& worker : report_.workers()) {
      if (!plugin.empty() && worker.plugin() != plugin) continue;
      for (const proto::CounterValue& counter : worker.counters())
        if (counter.name() == name && counter.labels() == labels)
          largest = std::max(largest.value_or(counter.value()), counter.value());
    }
    return largest;
  }

  // Where its workers listen, as gatehouse.yaml says: "xmpp [::]:5269, xmpps [::]:5270".
  [[nodiscard]] std::string AddressesOf(std::string_view plugin) const {
    const proto::Listen& listen = config_.listen();
    std::vector<std::string> all;
    const auto add = [&all](std::string_view kind, const auto& addresses) {
      for (const std::string& address : addresses)
        all.push_back(fmt::format("{} {}", kind, address));
    };
    if (plugin == "tls_listener") {
      add("xmpp", listen.xmpp());
      add("xmpps", listen.xmpps());
    }
    if (plugin == "sip_translator") add("sip", listen.sip());
    if (plugin == "acme_client") add("http", listen.http());
    return fmt::format("{}", fmt::join(all, ", "));
  }

  void AddIdlePlugins() {
    std::vector<std::string_view> plugins;
    for (const proto::WorkerStatus& worker : report_.workers())
      if (std::ranges::find(plugins, worker.plugin()) == plugins.end())
        plugins.push_back(worker.plugin());
    for (const std::string_view plugin : plugins) AddIdlePlugin(plugin);
  }

  void AddIdlePlugin(std::string_view plugin) {
    bool stopped = true;
    const proto::WorkerStatus* first = nullptr;
    for (const proto::WorkerStatus& worker : report_.workers()) {
      if (worker.plugin() != plugin) continue;
      const bool is_stopped = worker.state() == "stopped";
      const bool dies = worker.state() == "waiting" ||
                        (worker.state() == "starting" && worker.restarts() >= kManyRestarts);
      if (!is_stopped && !dies) return;
      stopped = stopped && is_stopped;
      if (first == nullptr || (first->state() == "stopped" && dies)) first = &worker;
    }
    const std::string addresses = AddressesOf(plugin);
    if (stopped)
      notices_.push_back(fmt::format(
          "{0} is stopped{1}; start it with gatehousectl worker restart {2}", plugin,
          addresses.empty() ? "" : ", so nobody listens on " + addresses, first->name()));
    else
      notices_.push_back(fmt::format(
          "{0} dies again and again{1}; the log says why (worker-died); mend that, and it starts "
          "by itself within a minute, or at once with gatehousectl worker restart {2}",
          plugin, addresses.empty() ? "" : ", so nobody is served on " + addresses, first->name()));
  }

  void AddSipPeers() {
    if (RefusesAllPlainSip(config_))
      notices_.push_back(fmt::format("sip.trusted_peers {}; then reload", kRefusesAllPlainSip));
    const double refused = Largest({}, kUntrustedPeersMetric).value_or(0);
    if (refused < 1) return;
    const double last = Largest({}, kLastUntrustedPeerMetric).value_or(0);
    notices_.push_back(fmt::format(
        "{} of SIP peers that are not in sip.trusted_peers {} refused since the start, the last at "
        "{}; the log names them (reason untrusted-peer); add those that are yours in "
        "gatehouse.yaml and reload",
        refused < 2 ? "a request or connection"
                    : fmt::format("{:.0f} requests or connections", refused),
        refused < 2 ? "was" : "were", MinuteOf(static_cast<std::int64_t>(last))));
  }

  void AddSlot(const SlotUser& user) {
    if (Largest(user.plugin, kNoCertificateMetric).value_or(0) != 0) {
      notices_.push_back(fmt::format("slot {}: {}", user.slot, kNoCertificate));
      return;
    }
    // 0 is of a slot that shows none any more, and whose listener needs none.
    const double left = Largest({}, kCertificateExpiryMetric, SlotLabels(user.slot)).value_or(0);
    const std::int64_t days = static_cast<std::int64_t>(std::floor(left)) / kDay;
    if (left == 0 || days >= kCertificateToldFromDays) return;
    constexpr std::string_view kRemedy =
        "see gatehousectl cert list for its name, and renew it with cert request, or cert renew "
        "where ACME does that; of a file, put a new one there and reload";
    notices_.push_back(
        left < 0 ? fmt::format("slot {}: the certificate has expired, and peers refuse it; {}",
                               user.slot, kRemedy)
                 : fmt::format("slot {}: the certificate ends in {}; {}", user.slot, DaysText(days),
                               kRemedy));
  }

  // One under way counts as failed until it has ended.
  void AddRenewal(const proto::RenewalView& renewal) {
    const bool waits = renewal.state() == "waiting";
    const std::uint32_t failures = renewal.failures() - (!waits && renewal.failures() > 0 ? 1 : 0);
    if (failures == 0) return;
    notices_.push_back(fmt::format(
        "ACME has failed to renew certificate '{}' {}{}; {}; mend the cause, then "
        "gatehousectl cert renew",
        renewal.certificate(), TimesText(failures),
        renewal.last_error().empty() ? "" : ": " + renewal.last_error(),
        waits ? "the next attempt is at " + MinuteOf(std::max(renewal.next_attempt_unix(), now_))
              : "an attempt is under way"));
  }

  void AddUnexplainedFailures() {
    const double failures = Largest({}, kAcmeFailuresMetric).value_or(0);
    if (failures < 1) return;
    notices_.push_back(fmt::format(
        "ACME has failed to renew the certificate {}, and acme_client does not say why just "
        "now; see gatehousectl cert renewal, mend the cause, then gatehousectl cert renew",
        TimesText(static_cast<std::uint32_t>(failures))));
  }

  static std::string TimesText(std::uint32_t times) {
    return times == 1 ? "once" : fmt::format("{} times in a row", times);
  }
  static std::string DaysText(std::int64_t days) {
    if (days == 0) return "less than a day";
    return days == 1 ? "1 day" : fmt::format("{} days", days);
  }

  const proto::Config& config_;
  const proto::StatusReport& report_;
  std::int64_t now_;
  std::vector<std::string> notices_;
};

}  // namespace

std::vector<std::string> StatusNotices(const proto::Config& config,
                                       const proto::StatusReport& report,
                                       const proto::RenewalView* renewal, std::int64_t now) {
  return Notices(config, report, now).Collect(renewal);
}

}  // namespace gatehouse
