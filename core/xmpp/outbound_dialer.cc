#include "core/xmpp/outbound_dialer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/loop/timer.h"

namespace gatehouse {
namespace {

constexpr milliseconds kWholeResolution = seconds{15};
constexpr milliseconds kConnectLimit = seconds{10};
constexpr milliseconds kStagger{250};     // RFC 8305 §8
constexpr std::size_t kMaxAddresses = 4;  // of each family, 3.2

// AAAA and A in turn, so that one broken family costs one stagger only.
std::vector<SocketAddress> Interleave(const std::vector<SocketAddress>& all) {
  std::vector<SocketAddress> v6;
  std::vector<SocketAddress> v4;
  for (const SocketAddress& each : all) {
    auto& family = each.storage.ss_family == AF_INET6 ? v6 : v4;
    if (family.size() < kMaxAddresses) family.push_back(each);
  }
  std::vector<SocketAddress> mixed;
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) mixed.push_back(v6[i]);
    if (i < v4.size()) mixed.push_back(v4[i]);
  }
  return mixed;
}

std::string Describe(const OutboundTarget& target) {
  return target.host + ":" + std::to_string(target.port) +
         (target.direct_tls ? " (direct TLS)" : "");
}

// "0 5 5269 xmpp.partner.example, …": priority, weight, port and host, as they came.
std::string RecordsText(const DnsAnswer<SrvRecord>& answer) {
  if (answer.status == DnsStatus::kTemporary) return "the lookup failed";
  std::string text;
  for (const SrvRecord& each : answer.records)
    text += (text.empty() ? "" : ", ") + std::to_string(each.priority) + ' ' +
            std::to_string(each.weight) + ' ' + std::to_string(each.port) + ' ' +
            (each.target.empty() ? "." : each.target);
  return text.empty() ? "none" : text;
}

std::string RecordsText(const DnsAnswer<SocketAddress>& answer) {
  std::string text;
  for (const SocketAddress& each : answer.records) text += (text.empty() ? "" : ", ") + each.Ip();
  return text.empty() ? "none" : text;
}

}  // namespace

struct OutboundDialer::Dial::State {
  State(OutboundDialer& owner, std::uint64_t dial_id, Order what, Events whom)
      : dialer(owner),
        id(dial_id),
        order(std::move(what)),
        events(std::move(whom)),
        resolution_limit(owner.loop_, [this] { OnResolutionLimit(); }),
        stagger(owner.loop_, [this] { ConnectNextAddress(); }),
        later(owner.loop_, [this] { OnLater(); }) {}

  void Begin();
  void OnSrv(DnsAnswer<SrvRecord> answer, bool direct_tls);
  void OnResolutionLimit();
  void TakePlan();
  void LookUpTarget();
  void OnAddresses(DnsAnswer<SocketAddress> answer);
  [[nodiscard]] bool AsksForTlsa(bool secure_addresses);
  void LookUpTlsa();
  void OnTlsa(const DnsAnswer<TlsaRecord>& answer);
  void TellDane(DaneResult result, std::string detail);
  void ConnectNextAddress();
  void OnConnect(std::size_t attempt, Result<std::unique_ptr<TcpStream>> tcp);
  void NextTarget();
  void OnLater();
  void Tell(std::string_view step, bool ok, std::string detail) const {
    if (events.on_step) events.on_step(step, ok, std::move(detail));
  }
  [[nodiscard]] const OutboundTarget& target() const { return targets[target_index]; }

  OutboundDialer& dialer;
  std::uint64_t id;
  Order order;
  Events events;
  std::optional<DnsAnswer<SrvRecord>> xmpp_server, xmpps_server;
  std::vector<OutboundTarget> targets;
  bool from_srv = false;
  std::size_t target_index = 0;
  std::vector<SocketAddress> addresses;  // of the target
  TargetDane dane;                       // of the target
  std::size_t next_address = 0;
  std::size_t round =
      0;  // counts races, so that an attempt of an old one is not taken for a new one's
  std::vector<std::unique_ptr<TcpStream::Connecting>> race;
  std::size_t failed = 0;  // attempts of this race
  std::optional<SocketAddress> connected;
  OutboundFault fault{OutboundFailure::kNotFound, {}, "no address"};  // when no target is left
  Timer resolution_limit, stagger, later;
  enum class Later : std::uint8_t { kNothing, kNextTarget, kAgain, kFail } due = Later::kNothing;
};

void OutboundDialer::Dial::State::Begin() {
  if (!order.proxy.empty()) {
    auto proxy = ProxyTarget(order.proxy);
    if (!proxy) {
      fault = {OutboundFailure::kNotFound, RetryClass::kConfigured, proxy.error().text};
      due = Later::kFail;
      return later.Start(milliseconds{0});
    }
    targets.push_back(*std::move(proxy));
    return LookUpTarget();
  }
  if (!MayResolve(order.domain)) {
    fault = {OutboundFailure::kNotFound, RetryClass::kDomainGone, "no domain to look up"};
    due = Later::kFail;
    return later.Start(milliseconds{0});
  }
  resolution_limit.Start(kWholeResolution);
  if (!order.direct_tls) xmpps_server = DnsAnswer<SrvRecord>{DnsStatus::kNoData, {}};
  const auto ask = [this](const char* service, bool direct_tls) {
    dialer.dns_.Srv(service + order.domain,
                    [owner = &dialer, key = id, direct_tls](DnsAnswer<SrvRecord> answer) {
                      if (Dial* dial = owner->Find(key))
                        dial->state_->OnSrv(std::move(answer), direct_tls);
                    });
  };
  ask("_xmpp-server._tcp.", false);
  if (order.direct_tls) ask("_xmpps-server._tcp.", true);
}

void OutboundDialer::Dial::State::OnSrv(DnsAnswer<SrvRecord> answer, bool direct_tls) {
  auto& slot = direct_tls ? xmpps_server : xmpp_server;
  if (slot) return;  // the limit came first
  if (events.on_step)
    Tell("dns", answer.status != DnsStatus::kTemporary,
         std::string("SRV ") + (direct_tls ? "_xmpps-server" : "_xmpp-server") + "._tcp." +
             order.domain + ": " + RecordsText(answer));
  slot = std::move(answer);
  if (xmpp_server && xmpps_server) TakePlan();
}

void OutboundDialer::Dial::State::OnResolutionLimit() {
  if (!xmpp_server) xmpp_server = DnsAnswer<SrvRecord>{};
  if (!xmpps_server) xmpps_server = DnsAnswer<SrvRecord>{};
  TakePlan();
}

void OutboundDialer::Dial::State::TakePlan() {
  resolution_limit.Stop();
  TargetPlan plan = PlanTargets(order.domain, *xmpp_server, *xmpps_server, dialer.random_);
  if (plan.kind != TargetPlan::Kind::kTargets) {
    const bool trouble = plan.kind == TargetPlan::Kind::kTrouble;
    fault = trouble ? OutboundFault{OutboundFailure::kDnsTrouble, {}, "SRV lookup failed"}
                    : OutboundFault{OutboundFailure::kNotFound, RetryClass::kDomainGone,
                                    "domain offers no XMPP service"};
    Tell("dns", false, fault.text);
    return events.on_failed(fault);
  }
  targets = std::move(plan.targets);
  from_srv = plan.from_srv;
  std::string detail = plan.from_srv ? "in this order:" : "no SRV, the domain itself:";
  for (const OutboundTarget& each : targets) detail += " " + Describe(each);
  Tell("dns", true, std::move(detail));
  LookUpTarget();
}

void OutboundDialer::Dial::State::LookUpTarget() {
  ++round;
  dane = {.mode = order.dane,
          .result = DaneResult::kNotAsked,
          .records = {},
          .names_target = order.dane == DaneMode::kEnforce && target().secure};
  dialer.dns_.Addresses(target().host, target().port,
                        [owner = &dialer, key = id, now = round](DnsAnswer<SocketAddress> answer) {
                          Dial* dial = owner->Find(key);
                          if (dial != nullptr && dial->state_->round == now)
                            dial->state_->OnAddresses(std::move(answer));
                        });
}

void OutboundDialer::Dial::State::OnAddresses(DnsAnswer<SocketAddress> answer) {
  const std::size_t found = answer.records.size();
  if (found > 0 && events.on_step)
    Tell("dns", true, "A/AAAA " + target().host + ": " + RecordsText(answer));
  std::erase_if(answer.records,
                [this](const SocketAddress& each) { return !dialer.guard_.MayConnect(each); });
  addresses = Interleave(answer.records);
  next_address = failed = 0;
  race.clear();
  if (!addresses.empty() && AsksForTlsa(answer.secure)) return LookUpTlsa();
  if (!addresses.empty()) return ConnectNextAddress();
  std::string text = found > 0 ? "only forbidden addresses: " : "no address: ";
  text += Describe(target());
  Tell("dns", false, text);
  if (answer.status == DnsStatus::kTemporary)
    fault = {OutboundFailure::kDnsTrouble, {}, std::move(text)};
  else if (fault.failure == OutboundFailure::kNotFound)
    fault = {OutboundFailure::kNotFound, RetryClass::kDomainGone, std::move(text)};
  NextTarget();
}

// RFC 7673 §3.1, §3.2. Says why where not.
bool OutboundDialer::Dial::State::AsksForTlsa(bool secure_addresses) {
  if (order.dane == DaneMode::kOff || (!from_srv && order.dane == DaneMode::kReport)) return false;
  if (target().secure && secure_addresses) return true;
  if (!from_srv)
    TellDane(DaneResult::kInsecure, "no SRV record names " + target().host);
  else if (!dialer.dns_.validates())
    TellDane(DaneResult::kInsecure, "no resolver is trusted to validate: see dns.dnssec");
  else if (!target().secure)
    TellDane(DaneResult::kInsecure, "the SRV records are not secured by DNSSEC");
  else
    TellDane(DaneResult::kInsecure, "the addresses of " + target().host + " are not secured");
  return false;
}

void OutboundDialer::Dial::State::LookUpTlsa() {
  dialer.dns_.Tlsa(TlsaName(target().host, target().port),
                   [owner = &dialer, key = id, now = round](const DnsAnswer<TlsaRecord>& answer) {
                     Dial* dial = owner->Find(key);
                     if (dial != nullptr && dial->state_->round == now)
                       dial->state_->OnTlsa(answer);
                   });
}

void OutboundDialer::Dial::State::OnTlsa(const DnsAnswer<TlsaRecord>& answer) {
  TakeTlsa(answer, dane);
  std::string name = TlsaName(target().host, target().port);
  if (dane.result == DaneResult::kFound) {
    for (const TlsaRecord& record : dane.records) name += "; " + TlsaText(record);
    Tell("dane", true, std::move(name));
  } else {
    TellDane(dane.result, std::move(name));
  }
  if (!dane.rules_out()) return ConnectNextAddress();
  fault = {.failure = OutboundFailure::kDnsTrouble,
           .text = "TLSA lookup failed: " + Describe(target()),
           .reason = Reason::kDaneLookupFailed};
  NextTarget();
}

void OutboundDialer::Dial::State::TellDane(DaneResult result, std::string detail) {
  dane.result = result;
  const bool fine = result != DaneResult::kLookupFailed;
  Tell("dane", fine, std::string(DaneResultName(result)) + ": " + detail);
  if (events.on_dane) events.on_dane({dane.mode, result, std::move(detail)});
}

void OutboundDialer::Dial::State::ConnectNextAddress() {
  if (next_address >= addresses.size()) return;
  const std::size_t attempt = next_address++;
  // `this` stays valid: the dial owns the handle, and destroying the handle cancels.
  race.push_back(TcpStream::Connect(dialer.loop_, addresses[attempt], kConnectLimit,
                                    [this, attempt](Result<std::unique_ptr<TcpStream>> tcp) {
                                      OnConnect(attempt, std::move(tcp));
                                    }));
  if (next_address < addresses.size()) stagger.Start(kStagger);
}

void OutboundDialer::Dial::State::OnConnect(std::size_t attempt,
                                            Result<std::unique_ptr<TcpStream>> tcp) {
  const std::string to = addresses[attempt].ToText();
  if (tcp && dialer.guard_.IsOurselves((*tcp)->local(), (*tcp)->peer()))
    tcp = Trouble("this is our own listener");
  if (!tcp) {
    Tell("tcp", false, to + ": " + tcp.error().text);
    fault = {OutboundFailure::kConnectFailed, {}, "connect " + to + ": " + tcp.error().text};
    if (++failed == addresses.size()) return NextTarget();
    if (failed == next_address) ConnectNextAddress();
    return;
  }
  stagger.Stop();
  for (std::size_t i = 0; i < race.size(); ++i)
    if (i != attempt) race[i].reset();
  next_address = addresses.size();
  connected = addresses[attempt];
  Tell("tcp", true, to + " for " + Describe(target()));
  events.on_connected(*std::move(tcp), target());
}

void OutboundDialer::Dial::State::NextTarget() {
  stagger.Stop();
  due = Later::kNextTarget;
  later.Start(milliseconds{0});
}

void OutboundDialer::Dial::State::OnLater() {
  switch (std::exchange(due, Later::kNothing)) {
    case Later::kNothing:
      return;
    case Later::kNextTarget:
      if (++target_index >= targets.size()) return events.on_failed(fault);
      return LookUpTarget();
    case Later::kAgain:
      addresses = {*connected};
      next_address = failed = 0;
      race.clear();
      return ConnectNextAddress();
    case Later::kFail:
      return events.on_failed(fault);
  }
}

OutboundDialer::OutboundDialer(Loop& loop, DnsLookup& dns, TargetGuard guard, RandomBelow random)
    : loop_(loop), dns_(dns), guard_(std::move(guard)), random_(std::move(random)) {}

OutboundDialer::~OutboundDialer() {
  GATEHOUSE_CHECK(dials_.empty());
}

OutboundDialer::Dial* OutboundDialer::Find(std::uint64_t id) const {
  const auto found = dials_.find(id);
  return found == dials_.end() ? nullptr : found->second;
}

std::unique_ptr<OutboundDialer::Dial> OutboundDialer::Start(Order order, Events events) {
  const std::uint64_t id = ++last_id_;
  auto state = std::make_unique<Dial::State>(*this, id, std::move(order), std::move(events));
  std::unique_ptr<Dial> dial(new Dial(std::move(state)));
  dials_[id] = dial.get();
  dial->state_->Begin();
  return dial;
}

OutboundDialer::Dial::Dial(std::unique_ptr<State> state) : state_(std::move(state)) {}

OutboundDialer::Dial::~Dial() {
  state_->dialer.dials_.erase(state_->id);
}

void OutboundDialer::Dial::Next(OutboundFault why) {
  state_->fault = std::move(why);
  state_->NextTarget();
}

const TargetDane& OutboundDialer::Dial::dane() const {
  return state_->dane;
}

void OutboundDialer::Dial::Again() {
  GATEHOUSE_CHECK(state_->connected.has_value());
  state_->due = State::Later::kAgain;
  state_->later.Start(milliseconds{0});
}

}  // namespace gatehouse
