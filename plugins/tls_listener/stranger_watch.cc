#include "plugins/tls_listener/stranger_watch.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/xmpp/jid.h"
#include "core/xmpp/outbound_targets.h"
#include "plugins/tls_listener/inbound_admission.h"
#include "proto/link_policy.pb.h"

namespace gatehouse {
namespace {

constexpr milliseconds kNoteAnswerLimit{10000};
constexpr std::size_t kMaxNames = 8;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::array<std::string_view, 2> kServices = {"_xmpp-server._tcp.", "_xmpps-server._tcp."};

std::string DayText(std::int64_t unix) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(unix)));
}

// A name that a stranger chose, in a line of ours: a mark stands for what is no plain text, and for
// what parts the line's facts.
std::string Harmless(std::string_view name) {
  std::string text(name.substr(0, kMaxNameBytes));
  const auto parts = [](char c) { return c < 0x20 || c >= 0x7f || c == ';' || c == ','; };
  std::ranges::replace_if(text, parts, '?');
  return text;
}

}  // namespace

// What we found out stands first: whatever is cut off a long line, it is the stranger's own words.
std::string CertificateLine(const PeerCertificate& certificate) {
  if (!certificate.presented) return {};
  std::vector<std::string> names = certificate.dns_names;
  names.insert(names.end(), certificate.xmpp_addrs.begin(), certificate.xmpp_addrs.end());
  const std::size_t more = names.size() > kMaxNames ? names.size() - kMaxNames : 0;
  names.resize(names.size() - more);
  for (std::string& name : names) name = Harmless(name);
  return fmt::format("{}; {} to {}; sha256 {}; by {}; for {}{}",
                     certificate.chain_valid ? "chain valid" : certificate.chain_error,
                     DayText(certificate.not_before_unix), DayText(certificate.not_after_unix),
                     certificate.sha256,
                     certificate.issuer.empty() ? "nobody named" : Harmless(certificate.issuer),
                     fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

struct StrangerWatch::State : std::enable_shared_from_this<StrangerWatch::State> {
  State(const Clock& clock_, DnsLookup& dns_, ipc::AskClient& engine_)
      : clock(clock_), dns(dns_), engine(engine_) {}

  // What is known of a domain that knocked within kAgain.
  struct Known {
    proto::Stranger stranger;
    TimePoint told_at{};
    int questions = 0;  // under way
  };

  void Sweep(TimePoint now) {
    if (now - minute_begin >= kAgain) {
      minute_begin = now;
      in_minute = 0;
      of_address.clear();
    }
    std::erase_if(known, [&](const auto& each) {
      const Known& one = each.second;
      if (one.questions > 0 || now - one.told_at < kAgain) return false;
      if (one.stranger.knocks() > 0) Ask(one.stranger);
      return true;
    });
  }

  // Whether one more is heard in this minute that comes from there.
  bool Admit(const std::string& ip) {
    if (in_minute >= kMaxAMinute) return false;
    std::size_t& of_this = of_address[InboundAdmission::AddressOf(ip)];
    if (of_this >= kMaxOfAnAddress) return false;
    ++of_this;
    ++in_minute;
    return true;
  }

  void LookUp(const std::string& domain) {
    const Result<std::string> ascii = DomainToAscii(domain);
    if (!ascii || !MayResolve(*ascii)) return Tell(domain);
    known[domain].questions = static_cast<int>(kServices.size()) + 1;
    for (const std::string_view service : kServices)
      dns.Srv(std::string(service) + *ascii,
              [weak = weak_from_this(), domain, service](const DnsAnswer<SrvRecord>& answer) {
                if (const auto state = weak.lock()) state->OnSrv(domain, service, answer);
              });
    dns.Addresses(*ascii, kServerPort,
                  [weak = weak_from_this(), domain](const DnsAnswer<SocketAddress>& answer) {
                    if (const auto state = weak.lock()) state->OnAddresses(domain, answer);
                  });
  }

  void OnSrv(const std::string& domain, std::string_view service,
             const DnsAnswer<SrvRecord>& answer) {
    for (const SrvRecord& record : answer.records)
      known[domain].stranger.add_dns(
          fmt::format("{} SRV {} {} {} {}.", service.substr(0, service.size() - 1), record.priority,
                      record.weight, record.port, record.target));
    Answered(domain);
  }

  void OnAddresses(const std::string& domain, const DnsAnswer<SocketAddress>& answer) {
    for (const SocketAddress& address : answer.records)
      known[domain].stranger.add_dns(address.Ip());
    Answered(domain);
  }

  void Answered(const std::string& domain) {
    if (--known[domain].questions == 0) Tell(domain);
  }

  void Tell(const std::string& domain) {
    Known& told = known[domain];
    told.told_at = clock.Now();
    Ask(told.stranger);
    told.stranger.set_knocks(0);
  }

  // One that is not noted is told with a later knock.
  void Ask(const proto::Stranger& stranger) {
    proto::PolicyQuestion question;
    *question.mutable_strangers()->add_strangers() = stranger;
    engine.Ask<proto::PolicyAnswer>(question, kNoteAnswerLimit,
                                    [](const Result<proto::PolicyAnswer>&) {});
  }

  const Clock& clock;
  DnsLookup& dns;
  ipc::AskClient& engine;
  std::map<std::string, Known, std::less<>> known;  // at most kMaxAMinute come in a minute
  TimePoint minute_begin{};
  std::size_t in_minute = 0;
  std::map<std::string, std::size_t, std::less<>> of_address;  // in this minute
};

StrangerWatch::StrangerWatch(const Clock& clock, DnsLookup& dns, ipc::AskClient& engine)
    : state_(std::make_shared<State>(clock, dns, engine)) {}

StrangerWatch::~StrangerWatch() = default;

void StrangerWatch::OnKnock(proto::Stranger knock, std::uint64_t now_unix) {
  State& state = *state_;
  state.Sweep(state.clock.Now());
  const std::string domain = knock.domain();
  if (const auto known = state.known.find(domain); known != state.known.end()) {
    proto::Stranger& stranger = known->second.stranger;
    stranger.set_knocks(stranger.knocks() + 1);
    stranger.set_last_unix(now_unix);
    if (!knock.certificate().empty()) stranger.set_certificate(knock.certificate());
    return;
  }
  if (!state.Admit(knock.peer())) return;
  knock.set_knocks(1);
  knock.set_first_unix(now_unix);
  knock.set_last_unix(now_unix);
  state.known[domain].stranger = std::move(knock);
  state.LookUp(domain);
}

}  // namespace gatehouse
