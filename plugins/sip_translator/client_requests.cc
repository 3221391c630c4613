#include "plugins/sip_translator/client_requests.h"

#include <algorithm>
#include <utility>

#include "core/sip/sip_builder.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

constexpr milliseconds kRouteFresh{30000};  // c-ares does not say how long an answer lives
constexpr milliseconds kRouteRetry{5000};   // after a lookup that failed
constexpr milliseconds kTargetDown{60000};  // after a timeout, a refusal or a failed connection
constexpr std::size_t kMaxUdpBytes = 1300;  // above it a request goes to TCP (RFC 3261 §18.1.1)
constexpr std::size_t kMaxRoutes = 4096;
constexpr int kMaxAttempts = 4;
constexpr std::size_t kMaxTriedTargets = 64;  // of one route: bits of Pending::tried
// A connection that was silent for so long before we wrote, and closes without an answer, had been
// given up by the peer before our request came: sending it again, in the same transaction,
// duplicates nothing.
constexpr milliseconds kStaleAfter{1000};
constexpr int kServiceUnavailable = 503;

ClientEvent EventOf(int status) {
  if (status < 200) return ClientEvent::kProvisional;
  return status < 300 ? ClientEvent::kSuccess : ClientEvent::kFailure;
}

}  // namespace

// Takes new targets; what was down stays down.
void ClientRequests::Route::Take(std::vector<SipTarget> fresh) {
  if (fresh.size() > kMaxTriedTargets) fresh.resize(kMaxTriedTargets);
  std::vector<TimePoint> fresh_down(fresh.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    fresh[i].NameIt();
    const auto known = std::ranges::find(targets, fresh[i].key, &SipTarget::key);
    if (known != targets.end())
      fresh_down[i] = down_until[static_cast<std::size_t>(known - targets.begin())];
  }
  targets = std::move(fresh);
  down_until = std::move(fresh_down);
}

class ClientRequests::Pending final : public WheelTimer {
 public:
  Pending(ClientRequests& home, SipOutgoing wanted, OnFinal on_final)
      : owner(home),
        request(std::move(wanted)),
        branch(request.branch()),
        done(std::move(on_final)) {}
  [[nodiscard]] bool Tried(std::size_t index) const { return (tried >> index & 1U) != 0; }
  ~Pending() override {
    if (route != nullptr) --route->users;
  }
  void OnDue(TimePoint now) override { owner.Act(*this, machine->OnTime(now)); }

  ClientRequests& owner;
  SipOutgoing request;
  std::string branch;  // of the current attempt
  OnFinal done;        // empty once it was called: only lingering
  Route* route = nullptr;
  std::size_t target = 0;
  std::uint64_t tried = 0;  // a bit for each target of the route
  int attempts = 0;
  std::optional<ClientTransaction> machine;
  SipConnectionId connection{};
  SipTransport transport = SipTransport::kUdp;  // the request's Via is written for it
  SipTarget udp_target;
  TimePoint sent_at;
  bool sent_again = false;
};

ClientRequests::ClientRequests(Loop& loop, Metrics& metrics, SipTransportLayer& transport,
                               SipResolver& resolver, TimerWheel& wheel, TransactionTimes times)
    : loop_(loop),
      transport_(transport),
      resolver_(resolver),
      wheel_(wheel),
      times_(times),
      tell_failed_(loop, [this] { RunFailed(); }),
      sent_total_(metrics.Value("gatehouse_sip_requests_sent_total")),
      retransmitted_total_(metrics.Value("gatehouse_sip_requests_retransmitted_total")),
      unmatched_total_(metrics.Value("gatehouse_sip_responses_unmatched_total")) {}

ClientRequests::~ClientRequests() = default;

void ClientRequests::WriteVia(SipOutgoing& request, SipTransport transport,
                              std::string_view branch) const {
  request.SetVia(ViaName(transport), transport_.SentBy(transport), branch,
                 transport == SipTransport::kUdp ? ";rport" : ";alias");
}

ClientRequests::Route* ClientRequests::RouteOf(const std::string& next_hop) {
  if (next_hop.empty()) return nullptr;
  if (routes_.size() >= kMaxRoutes && !routes_.contains(next_hop)) ForgetRoutes();
  const auto [found, fresh] = routes_.try_emplace(next_hop);
  Route& route = found->second;
  if (!route.resolving && route.fresh_until <= loop_.Now()) StartResolving(found->first, route);
  return &route;
}

void ClientRequests::ForgetRoutes() {
  std::erase_if(routes_, [now = loop_.Now()](const auto& entry) {
    const Route& route = entry.second;
    return !route.resolving && route.users == 0 && route.fresh_until <= now;
  });
}

void ClientRequests::StartResolving(const std::string& uri, Route& route) {
  route.resolving = true;
  const bool readable =
      resolver_.Resolve(uri, [this, uri](Result<std::vector<SipTarget>, SipFailure> targets) {
        OnResolved(uri, std::move(targets));
      });
  if (!readable) route.resolving = false;
}

void ClientRequests::OnResolved(const std::string& uri,
                                Result<std::vector<SipTarget>, SipFailure> targets) {
  const auto found = routes_.find(uri);
  if (found == routes_.end()) return;
  Route& route = found->second;
  route.resolving = false;
  route.fresh_until = loop_.Now() + (targets ? kRouteFresh : kRouteRetry);
  const SipFailure failure = targets ? SipFailure::kNoRoute : targets.error();
  if (targets) route.Take(*std::move(targets));
  for (const std::string& branch : std::exchange(route.waiting, {})) {
    const auto pending = by_branch_.find(branch);
    if (pending == by_branch_.end()) continue;
    if (route.targets.empty()) {
      FailLater(*pending->second, failure);
    } else {
      Attempt(*pending->second);
    }
  }
}

Result<void, SipSendRefusal> ClientRequests::Send(SipOutgoing request, OnFinal done) {
  if (!request.clean()) return std::unexpected(SipSendRefusal::kInjection);
  if (const auto older = by_branch_.find(request.branch()); older != by_branch_.end()) {
    if (older->second->done) {
      older->second->done = std::move(done);
      return {};
    }
    Erase(*older->second);
  }
  if (in_flight_ >= kMaxPendingTransactions) return std::unexpected(SipSendRefusal::kTooMany);
  Route* route = RouteOf(request.next_hop());
  const bool routed = route != nullptr && !route->targets.empty();
  const SipTransport transport = routed ? route->targets.front().transport : SipTransport::kTls;
  WriteVia(request, transport, request.branch());
  if (request.max_bytes() != 0 && request.text().size() > request.max_bytes())
    return std::unexpected(SipSendRefusal::kTooLarge);
  if (route == nullptr || (!route->resolving && !routed))
    return std::unexpected(SipSendRefusal::kBadNextHop);
  auto pending = std::make_unique<Pending>(*this, std::move(request), std::move(done));
  Pending& placed = *pending;
  placed.route = route;
  ++route->users;
  placed.transport = transport;
  by_branch_.emplace(placed.branch, std::move(pending));
  ++in_flight_;
  if (!routed) {
    route->waiting.push_back(placed.branch);
  } else {
    Attempt(placed);
  }
  return {};
}

std::optional<std::size_t> ClientRequests::NextTarget(const Pending& pending) const {
  if (pending.attempts >= kMaxAttempts) return std::nullopt;
  const TimePoint now = loop_.Now();
  std::optional<std::size_t> last_resort;
  for (std::size_t i = 0; i < pending.route->targets.size(); ++i) {
    if (pending.Tried(i)) continue;
    if (pending.route->down_until[i] <= now) return i;
    if (!last_resort) last_resort = i;
  }
  return last_resort;
}

const SipTarget& ClientRequests::TargetFor(const Pending& pending, std::size_t index,
                                           SipTarget& changed) const {
  const SipTarget& target = pending.route->targets[index];
  // The transports' names are equally long, so any text of this request tells.
  if (target.transport != SipTransport::kUdp || pending.request.text().size() <= kMaxUdpBytes)
    return target;
  changed = target;
  changed.transport = SipTransport::kTcp;
  changed.NameIt();
  return changed;
}

void ClientRequests::Attempt(Pending& pending) {
  while (const auto index = NextTarget(pending)) {
    pending.tried |= std::uint64_t{1} << *index;
    pending.target = *index;
    // Each further target is a new transaction (RFC 3263 §4.3).
    const bool again = ++pending.attempts > 1;
    if (again) Rename(pending, pending.request.branch() + '.' + std::to_string(pending.attempts));
    SipTarget changed;
    const SipTarget& target = TargetFor(pending, *index, changed);
    if (again || target.transport != pending.transport) {
      WriteVia(pending.request, target.transport, pending.branch);
      pending.transport = target.transport;
    }
    const auto sent = transport_.SendRequest(target, pending.request.text());
    if (!sent) {
      MarkDown(pending);
      continue;
    }
    sent_total_ += 1;
    pending.connection = *sent;
    pending.sent_at = loop_.Now();
    TransactionTimes times = times_;
    times.reliable = target.transport != SipTransport::kUdp;
    if (!times.reliable) pending.udp_target = target;
    pending.machine.emplace(TransactionKind::kNonInvite, times, pending.sent_at);
    wheel_.Arm(pending, pending.machine->NextDeadline());
    return;
  }
  FailLater(pending, SipFailure::kTransport);
}

void ClientRequests::Rename(Pending& pending, std::string branch) {
  auto node = by_branch_.extract(pending.branch);
  pending.branch = std::move(branch);
  node.key() = pending.branch;
  by_branch_.insert(std::move(node));
}

void ClientRequests::OnResponse(const SipMessage& response) {
  const auto found = by_branch_.find(response.vias().front().branch);
  if (found == by_branch_.end() || !found->second->machine ||
      response.method() != found->second->request.method()) {
    unmatched_total_ += 1;
    return;
  }
  Pending& pending = *found->second;
  const std::uint8_t actions = pending.machine->On(EventOf(response.status()), loop_.Now());
  if ((actions & kPassResponse) == 0 || response.status() < 200) {
    wheel_.Arm(pending, pending.machine->NextDeadline());
    return;
  }
  if (response.status() == kServiceUnavailable) {
    MarkDown(pending);
    if (FailOver(pending)) return;
  }
  Finish(pending,
         {.failure = SipFailure::kNone, .status = response.status(), .response = &response});
}

void ClientRequests::Act(Pending& pending, std::uint8_t actions) {
  if ((actions & kSendRequest) != 0) Resend(pending);
  if ((actions & (kTellTimeOut | kTellTransportError)) != 0) {
    MarkDown(pending);
    if (FailOver(pending)) return;
    const bool late = (actions & kTellTimeOut) != 0;
    return Finish(pending, {.failure = late ? SipFailure::kTimeout : SipFailure::kTransport});
  }
  if (pending.machine->state() == ClientState::kTerminated) return Erase(pending);
  wheel_.Arm(pending, pending.machine->NextDeadline());
}

void ClientRequests::Resend(Pending& pending) {
  retransmitted_total_ += 1;
  // A refused send is a lost datagram; the next retransmission may do better.
  static_cast<void>(transport_.SendRequest(pending.udp_target, pending.request.text()));
}

void ClientRequests::MarkDown(const Pending& pending) {
  auto& down_until = pending.route->down_until;
  if (pending.target < down_until.size()) down_until[pending.target] = loop_.Now() + kTargetDown;
}

bool ClientRequests::FailOver(Pending& pending) {
  if (!NextTarget(pending)) return false;
  Attempt(pending);
  return true;
}

bool ClientRequests::AwaitsAnswerOn(SipConnectionId connection) const {
  return std::ranges::any_of(by_branch_, [connection](const auto& entry) {
    return entry.second->connection == connection && entry.second->done;
  });
}

void ClientRequests::OnConnectionGone(SipConnectionId connection, SipFailure failure,
                                      bool never_sent, TimePoint last_received) {
  std::vector<std::string> affected;
  for (const auto& [branch, pending] : by_branch_)
    if (pending->connection == connection && pending->done) affected.emplace_back(branch);
  for (const std::string& branch : affected) {
    Pending& pending = *by_branch_.at(branch);
    pending.connection = SipConnectionId{};
    if (never_sent) {
      MarkDown(pending);
      if (!FailOver(pending)) FailLater(pending, failure);
    } else if (!pending.sent_again && last_received + kStaleAfter <= pending.sent_at) {
      pending.sent_again = true;
      pending.attempts = 0;
      pending.tried = ~(std::uint64_t{1} << pending.target);
      Attempt(pending);
    } else {
      FailLater(pending, failure == SipFailure::kTransport ? SipFailure::kClosed : failure);
    }
  }
}

void ClientRequests::Finish(Pending& pending, const SipFinal& final) {
  const OnFinal done = std::exchange(pending.done, {});
  pending.request.DropText();  // what lingers over UDP needs it no more
  --in_flight_;
  if (!pending.machine || pending.machine->state() == ClientState::kTerminated) {
    Erase(pending);
  } else {
    wheel_.Arm(pending, pending.machine->NextDeadline());
  }
  if (done) done(final);
}

void ClientRequests::FailLater(Pending& pending, SipFailure failure) {
  wheel_.Cancel(pending);
  pending.machine.reset();
  failed_.emplace_back(pending.branch, failure);
  tell_failed_.Arm();
}

void ClientRequests::RunFailed() {
  for (const auto& [branch, failure] : std::exchange(failed_, {})) {
    const auto found = by_branch_.find(branch);
    if (found != by_branch_.end() && found->second->done)
      Finish(*found->second, {.failure = failure});
  }
}

void ClientRequests::Erase(Pending& pending) {
  by_branch_.erase(pending.branch);
}

}  // namespace gatehouse
