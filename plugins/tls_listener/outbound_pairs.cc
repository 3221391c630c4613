#include "plugins/tls_listener/outbound_pairs.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/loop/timer.h"
#include "core/policy/negotiation.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/xml_writer.h"
#include "plugins/tls_listener/outbound_back_off.h"
#include "plugins/tls_listener/outbound_outcome.h"
#include "plugins/tls_listener/outbound_queue.h"
#include "plugins/tls_listener/outbound_stream.h"
#include "plugins/tls_listener/outbound_test.h"

namespace gatehouse {
namespace {

constexpr milliseconds kTick = seconds{1};
constexpr milliseconds kDialbackResult = seconds{45};                     // 3.3
constexpr auto kTlsMemory = std::chrono::hours{30 * 24};                  // 3.4.1
constexpr seconds kEstablishment{60}, kInactivity{600}, kKeepAlive{300};  // 1.4
constexpr std::uint32_t kPartnerConnections = 20;

seconds OrDefault(std::uint32_t value, seconds fallback) {
  return value == 0 ? fallback : seconds{value};
}

struct Pair {
  Pair(std::string pair_key, std::string local_domain, std::string remote_domain,
       RandomBelow random)
      : key(std::move(pair_key)),
        local(std::move(local_domain)),
        remote(std::move(remote_domain)),
        back_off(std::move(random)) {}
  std::string key, local, remote;
  OutboundQueue queue;
  OutboundBackOff back_off;
  std::uint64_t stream = 0;  // 0: none
  bool open = false;         // on `stream`
  TimePoint result_due{};    // of a pair added to an open stream
  bool added = false;
};

}  // namespace

struct OutboundPairs::State {
  explicit State(Setup what)
      : setup(std::move(what)),
        random(SystemRandom()),
        dialer(setup.loop, setup.dns,
               TargetGuard(setup.own_addresses, setup.allow_loopback_targets), random),
        end_of_turn(setup.loop, [this] { CloseBatches(); }),
        tick(setup.loop, [this] { OnTick(); }),
        sweep(setup.loop, [this] { Sweep(); }),
        sent(setup.metrics.Value("gatehouse_stanzas_total", "{direction=\"out\",result=\"sent\"}")),
        refused(setup.metrics.Value("gatehouse_stanzas_total",
                                    "{direction=\"out\",result=\"failed\"}")),
        open_gauge(setup.metrics.Value("gatehouse_streams", "{direction=\"out\"}")) {}

  Pair& FindPair(std::string_view local, std::string_view remote);
  const proto::Partner* PartnerOf(const std::string& remote) const;
  bool IsOurs(const std::string& domain) const {
    return std::ranges::find(domains, domain) != domains.end();
  }
  void Submit(Pair& pair, Deadline expires, ipc::Ticket ticket);
  void Refuse(ipc::Ticket& ticket, const OutboundFault& fault, milliseconds retry_after = {});
  void FlushQueue(Pair& pair);

  void Open(Pair& pair);
  bool Join(Pair& pair, const MethodSet& methods);
  OutboundConnection::Order OrderFor(const std::string& local, const std::string& remote,
                                     const proto::Partner& partner) const;
  OutboundConnection::Events EventsFor(std::uint64_t id);
  std::size_t StreamsOf(std::string_view partner_id) const;
  bool AtLimit(const proto::Partner& partner) const;

  OutboundStream* FindStream(std::uint64_t id);
  void OnMakeKey(std::uint64_t id, std::string_view local, std::string_view stream_id);
  void OnPairOpen(std::uint64_t id, std::string_view local, proto::AuthMethod method);
  void OnPairFailed(std::uint64_t id, std::string_view local, const OutboundFault& fault);
  void OnStreamFailed(std::uint64_t id, const OutboundFault& fault);
  void OnGone(std::uint64_t id);
  void OnWritable(std::uint64_t id);
  void Detach(Pair& pair);
  void GiveUp(Pair& pair, const OutboundFault& fault);
  void CloseStream(OutboundStream& stream, std::optional<StreamCondition> say);
  void Abandon(OutboundStream& stream, const OutboundFault& fault);

  void CloseBatches();
  void OnTick();
  void TickStream(OutboundStream& stream, TimePoint now);
  void Sweep();
  void CheckPolicy();
  void CheckDrained();
  void StartTest(const proto::TestStream& request, OutboundTest::Answer answer);

  Setup setup;
  RandomBelow random;
  OutboundDialer dialer;
  PolicyPointer policy;
  std::vector<std::string> domains;
  TlsContexts tls;
  std::unordered_map<std::string, std::unique_ptr<Pair>> pairs;
  std::map<std::uint64_t, OutboundStream> streams;
  std::map<std::uint64_t, std::unique_ptr<OutboundTest>> tests;
  std::uint64_t last_id = 0;
  std::vector<std::uint64_t> written;                   // streams written to in this turn
  std::vector<std::uint64_t> gone;                      // streams and tests to destroy
  std::unordered_map<std::string, TimePoint> tls_seen;  // by remote: the downgrade guard
  std::string key_scratch, xml_scratch;
  bool draining = false;
  std::function<void()> drained;
  EndOfTurn end_of_turn;
  Timer tick, sweep;
  double& sent;
  double& refused;
  double& open_gauge;
};

// --- stanzas

Pair& OutboundPairs::State::FindPair(std::string_view local, std::string_view remote) {
  key_scratch.assign(local).append(1, '\n').append(remote);
  const auto found = pairs.find(key_scratch);
  if (found != pairs.end()) return *found->second;
  auto pair = std::make_unique<Pair>(key_scratch, std::string(local), std::string(remote), random);
  return *pairs.emplace(key_scratch, std::move(pair)).first->second;
}

const proto::Partner* OutboundPairs::State::PartnerOf(const std::string& remote) const {
  return policy ? policy->FindPartner(remote) : nullptr;
}

void OutboundPairs::State::Refuse(ipc::Ticket& ticket, const OutboundFault& fault,
                                  milliseconds retry_after) {
  ++refused;
  ticket.Settle(OutcomeOf(fault, retry_after));
}

// xml_scratch holds the stanza.
void OutboundPairs::State::Submit(Pair& pair, Deadline expires, ipc::Ticket ticket) {
  const TimePoint now = setup.loop.Now();
  OutboundStream* stream = pair.open ? FindStream(pair.stream) : nullptr;
  if (stream != nullptr && pair.queue.empty() && stream->HasRoom()) {
    stream->Write(xml_scratch, std::move(ticket), now);
    written.push_back(stream->id());
    return end_of_turn.Arm();
  }
  const milliseconds wait = pair.stream == 0 ? pair.back_off.Remaining(now) : milliseconds{0};
  if (wait > milliseconds{0}) return Refuse(ticket, pair.back_off.last_fault(), wait);
  if (!pair.queue.Push(xml_scratch, expires, ticket, now))
    return Refuse(ticket, {OutboundFailure::kOverload, {}, "queue of the domain pair is full"});
  if (!tick.active()) tick.StartRepeating(kTick);
  if (pair.stream == 0) Open(pair);
}

void OutboundPairs::State::FlushQueue(Pair& pair) {
  OutboundStream* stream = FindStream(pair.stream);
  if (!pair.open || stream == nullptr) return;
  const TimePoint now = setup.loop.Now();
  pair.queue.Expire(now);
  while (!pair.queue.empty() && stream->HasRoom()) {
    OutboundQueue::Entry entry = pair.queue.Pop();
    stream->Write(entry.xml, std::move(entry.ticket), now);
    written.push_back(stream->id());
  }
  end_of_turn.Arm();
}

void OutboundPairs::State::CloseBatches() {
  std::ranges::sort(written);
  const auto repeats = std::ranges::unique(written);
  written.erase(repeats.begin(), repeats.end());
  for (const std::uint64_t id : std::exchange(written, {})) {
    OutboundStream* stream = FindStream(id);
    if (stream == nullptr) continue;
    stream->CloseBatch([this, id] {
      OutboundStream* flushed = FindStream(id);
      if (flushed != nullptr) sent += static_cast<double>(flushed->SettleOldestBatch());
      if (draining) sweep.Start(milliseconds{0});
    });
  }
}

// --- streams

OutboundStream* OutboundPairs::State::FindStream(std::uint64_t id) {
  const auto found = streams.find(id);
  return found == streams.end() ? nullptr : &found->second;
}

std::size_t OutboundPairs::State::StreamsOf(std::string_view partner_id) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      streams, [&](const auto& each) { return each.second.partner_id() == partner_id; }));
}

bool OutboundPairs::State::AtLimit(const proto::Partner& partner) const {
  std::uint32_t limit = partner.connection_limit();
  if (limit == 0) limit = policy->gateway().partner_connection_limit();
  if (limit == 0) limit = kPartnerConnections;
  std::size_t used = StreamsOf(partner.id());
  if (setup.inbound_streams) used += setup.inbound_streams(partner.id());
  return used >= limit;
}

OutboundConnection::Order OutboundPairs::State::OrderFor(const std::string& local,
                                                         const std::string& remote,
                                                         const proto::Partner& partner) const {
  OutboundConnection::Order order;
  order.terms = {.local = local,
                 .remote = remote,
                 .row = RowOf(partner),
                 .shows_certificate = tls.shows_certificate};
  const auto seen = tls_seen.find(remote);
  order.terms.may_go_clear = seen == tls_seen.end() || setup.loop.Now() - seen->second > kTlsMemory;
  order.proxy = partner.proxy();
  order.starttls = tls.starttls;
  order.direct = tls.direct;
  order.establishment_limit =
      OrDefault(policy->gateway().stream_establishment_timeout_s(), kEstablishment);
  return order;
}

void OutboundPairs::State::Open(Pair& pair) {
  const proto::Partner* partner = PartnerOf(pair.remote);
  if (partner == nullptr || !IsOurs(pair.local))
    return pair.queue.SettleAll(OutcomeOf({OutboundFailure::kNotPermitted, {}, "no such partner"}));
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  if (Join(pair, methods)) return;
  if (AtLimit(*partner))
    return pair.queue.SettleAll(
        OutcomeOf({OutboundFailure::kOverload, {}, "connection limit of the partner"}));
  const std::uint64_t id = ++last_id;
  OutboundStream& stream = streams.try_emplace(id, id, pair.remote, partner->id()).first->second;
  stream.pair_keys.push_back(pair.key);
  stream.last_stanza = stream.last_octet = setup.loop.Now();
  pair.stream = id;
  stream.Attach(std::make_unique<OutboundConnection>(
      setup.loop, dialer, OrderFor(pair.local, pair.remote, *partner), EventsFor(id)));
  stream.connection().Start();
}

// Sender multiplexing (2.8.7): onto a stream that dialback opened.
bool OutboundPairs::State::Join(Pair& pair, const MethodSet& methods) {
  const auto fits = [&](const auto& each) {
    const OutboundStream& stream = each.second;
    if (stream.closing || stream.remote() != pair.remote ||
        !stream.connection().machine().MayAddPair())
      return false;
    const bool in_tls = stream.connection().machine().in_tls();
    return stream.pair_keys.size() < kMaxPairsPerStream &&
           (in_tls ? methods.tls_dialback : methods.tcp_dialback);
  };
  const auto found = std::ranges::find_if(streams, fits);
  if (found == streams.end()) return false;
  OutboundStream& stream = found->second;
  stream.pair_keys.push_back(pair.key);
  pair.stream = stream.id();
  pair.added = true;
  pair.result_due = setup.loop.Now() + kDialbackResult;
  stream.connection().AddPair(pair.local);
  return true;
}

OutboundConnection::Events OutboundPairs::State::EventsFor(std::uint64_t id) {
  OutboundConnection::Events events;
  events.on_make_key = [this, id](std::string_view local, std::string_view stream_id) {
    OnMakeKey(id, local, stream_id);
  };
  events.on_pair_open = [this, id](std::string_view local, proto::AuthMethod method) {
    OnPairOpen(id, local, method);
  };
  events.on_pair_failed = [this, id](std::string_view local, const OutboundFault& fault) {
    OnPairFailed(id, local, fault);
  };
  events.on_failed = [this, id](const OutboundFault& fault) { OnStreamFailed(id, fault); };
  events.on_gone = [this, id] { OnGone(id); };
  events.on_writable = [this, id] { OnWritable(id); };
  events.on_dropped = [id](std::string_view what) {
    Log(LogLevel::kInfo, "stream-out-dropped",
        {{"stream", static_cast<std::int64_t>(id)}, {"what", what}});
  };
  return events;
}

void OutboundPairs::State::OnMakeKey(std::uint64_t id, std::string_view local,
                                     std::string_view stream_id) {
  const OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  AskForKey(setup.verifier, local, stream->remote(), stream_id,
            [this, id, name = std::string(local)](const std::string& key) {
              if (OutboundStream* asked = FindStream(id)) asked->connection().GiveKey(name, key);
            });
}

void OutboundPairs::State::OnPairOpen(std::uint64_t id, std::string_view local,
                                      proto::AuthMethod method) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  Pair& pair = FindPair(local, stream->remote());
  const TimePoint now = setup.loop.Now();
  if (stream->connection().machine().in_tls()) tls_seen[stream->remote()] = now;
  pair.open = true;
  pair.back_off.OnOpened(now);
  Log(LogLevel::kInfo, "stream-out-open",
      {{"local", local},
       {"remote", stream->remote()},
       {"method", MethodName(method)},
       {"peer", stream->connection().peer_address()}});
  open_gauge = static_cast<double>(streams.size());
  FlushQueue(pair);
}

void OutboundPairs::State::Detach(Pair& pair) {
  if (OutboundStream* stream = FindStream(pair.stream)) std::erase(stream->pair_keys, pair.key);
  pair.stream = 0;
  pair.open = pair.added = false;
}

// The attempt of this pair failed: all that waits is told, later ones until the back-off ends.
void OutboundPairs::State::GiveUp(Pair& pair, const OutboundFault& fault) {
  const TimePoint now = setup.loop.Now();
  pair.back_off.OnFailed(fault, now);
  Log(LogLevel::kNotice, "stream-out-failed",
      {{"local", pair.local},
       {"remote", pair.remote},
       {"failure", FailureName(fault.failure)},
       {"why", fault.text}});
  refused += static_cast<double>(pair.queue.size());
  pair.queue.SettleAll(OutcomeOf(fault, pair.back_off.Remaining(now)));
}

void OutboundPairs::State::OnPairFailed(std::uint64_t id, std::string_view local,
                                        const OutboundFault& fault) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  Pair& pair = FindPair(local, stream->remote());
  Detach(pair);
  GiveUp(pair, fault);
}

void OutboundPairs::State::OnStreamFailed(std::uint64_t id, const OutboundFault& fault) {
  if (OutboundStream* stream = FindStream(id)) Abandon(*stream, fault);
}

// Takes every pair off a stream that is over. A pair that was open there tries again for what still
// waits.
void OutboundPairs::State::Abandon(OutboundStream& stream, const OutboundFault& fault) {
  stream.closing = true;
  const TimePoint now = setup.loop.Now();
  refused += static_cast<double>(stream.unsent());
  stream.FailUnsent(OutcomeOf(fault));
  for (const std::string& key : std::exchange(stream.pair_keys, {})) {
    Pair& pair = *pairs.at(key);
    const bool was_open = std::exchange(pair.open, false);
    pair.stream = 0;
    if (!was_open) {
      GiveUp(pair, fault);
      continue;
    }
    Log(LogLevel::kInfo, "stream-out-closed",
        {{"local", pair.local}, {"remote", pair.remote}, {"why", fault.text}});
    pair.back_off.OnLost(fault, now);
    if (pair.queue.empty()) continue;
    const milliseconds wait = pair.back_off.Remaining(now);
    if (wait > milliseconds{0})
      pair.queue.SettleAll(OutcomeOf(fault, wait));
    else
      Open(pair);
  }
}

void OutboundPairs::State::CloseStream(OutboundStream& stream, std::optional<StreamCondition> say) {
  if (stream.closing) return;
  Abandon(stream, {OutboundFailure::kClosed, RetryClass::kAtOnce, "closed by us"});
  if (say)
    stream.connection().Close(*say);
  else
    stream.connection().Close();
}

void OutboundPairs::State::OnGone(std::uint64_t id) {
  gone.push_back(id);
  sweep.Start(milliseconds{0});
}

void OutboundPairs::State::Sweep() {
  for (const std::uint64_t id : std::exchange(gone, {})) {
    streams.erase(id);
    tests.erase(id);
  }
  open_gauge = static_cast<double>(streams.size());
  CheckDrained();
}

void OutboundPairs::State::OnWritable(std::uint64_t id) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  for (const std::string& key : std::vector(stream->pair_keys)) FlushQueue(*pairs.at(key));
}

// --- time

void OutboundPairs::State::OnTick() {
  const TimePoint now = setup.loop.Now();
  bool waiting = false;
  for (auto& [key, pair] : pairs) {
    pair->queue.Expire(now);
    waiting = waiting || !pair->queue.empty();
    if (!pair->added || pair->open || now < pair->result_due) continue;
    if (OutboundStream* stream = FindStream(pair->stream))
      stream->connection().GiveUpPair(pair->local);
  }
  for (auto& [id, stream] : streams) TickStream(stream, now);
  CheckDrained();
  if (streams.empty() && !waiting) tick.Stop();
}

void OutboundPairs::State::TickStream(OutboundStream& stream, TimePoint now) {
  if (stream.closing || stream.connection().machine().state() != OutboundState::kOpen) return;
  const proto::GatewaySettings& gateway = policy->gateway();
  if (now - stream.last_stanza >= OrDefault(gateway.stream_inactivity_timeout_s(), kInactivity) &&
      stream.unsent() == 0)
    return CloseStream(stream, {});
  const proto::Partner* partner = PartnerOf(stream.remote());
  if (partner == nullptr || !partner->keep_alive()) return;
  if (now - stream.last_octet < OrDefault(gateway.keep_alive_interval_s(), kKeepAlive)) return;
  stream.connection().Send(" ");  // the peer answers pings on its own stream to us (2.12)
  stream.last_octet = now;
}

// --- settings

void OutboundPairs::State::CheckPolicy() {
  if (!policy) return;
  for (auto& [id, stream] : streams) {
    if (stream.closing) continue;
    const proto::Partner* partner = PartnerOf(stream.remote());
    const MethodSet methods = partner ? PermittedMethods(RowOf(*partner)) : MethodSet{};
    const proto::AuthMethod method = stream.connection().machine().method();
    const bool undecided = method == proto::AUTH_METHOD_NONE && !methods.empty();
    const bool ours = std::ranges::all_of(
        stream.pair_keys, [this](const std::string& key) { return IsOurs(pairs.at(key)->local); });
    if (ours && (undecided || methods.Has(method))) continue;
    CloseStream(stream, StreamCondition::kReset);
  }
}

void OutboundPairs::State::CheckDrained() {
  if (!draining || !drained) return;
  const bool waiting =
      std::ranges::any_of(pairs, [](const auto& each) { return !each.second->queue.empty(); });
  const bool unsent =
      std::ranges::any_of(streams, [](const auto& each) { return each.second.unsent() > 0; });
  if (waiting || unsent) return;
  for (auto& [id, stream] : streams) CloseStream(stream, {});
  if (streams.empty()) std::exchange(drained, nullptr)();
}

// --- test stream

void OutboundPairs::State::StartTest(const proto::TestStream& request,
                                     OutboundTest::Answer answer) {
  const auto remote = PrepareDomain(request.domain());
  const auto local = request.local_domain().empty() && !domains.empty()
                         ? Result<std::string>(domains.front())
                         : PrepareDomain(request.local_domain());
  const auto refuse = [&](std::string text) {
    answer(RefusedTest({OutboundFailure::kNotPermitted, {}, std::move(text)}));
  };
  if (!remote) return refuse("no domain name: " + request.domain());
  if (!local || !IsOurs(*local)) return refuse("no domain of ours: " + request.local_domain());
  const proto::Partner* partner = PartnerOf(*remote);
  if (partner == nullptr) return refuse("no enabled partner has the domain " + *remote);
  const std::uint64_t id = ++last_id;
  auto make_key = [this, id, domain = *remote](std::string_view our, std::string_view stream_id) {
    AskForKey(setup.verifier, our, domain, stream_id,
              [this, id, name = std::string(our)](const std::string& key) {
                const auto test = tests.find(id);
                if (test != tests.end()) test->second->GiveKey(name, key);
              });
  };
  auto test = std::make_unique<OutboundTest>(
      setup.loop, dialer, OrderFor(*local, *remote, *partner),
      OutboundTest::Events{std::move(answer), std::move(make_key), [this, id] { OnGone(id); }});
  OutboundTest& started = *tests.emplace(id, std::move(test)).first->second;
  started.Start();
}

// --- the public face

OutboundPairs::OutboundPairs(Setup setup) : state_(std::make_unique<State>(std::move(setup))) {}

OutboundPairs::~OutboundPairs() {
  for (auto& [key, pair] : state_->pairs) pair->queue.AbandonAll();
  for (auto& [id, stream] : state_->streams) stream.AbandonUnsent();
}

void OutboundPairs::SetPolicy(PolicyPointer policy) {
  state_->policy = std::move(policy);
  state_->CheckPolicy();
}

void OutboundPairs::SetDomains(std::vector<std::string> domains) {
  state_->domains = std::move(domains);
  state_->CheckPolicy();
}

void OutboundPairs::SetTls(TlsContexts contexts) {
  state_->tls = std::move(contexts);
}

void OutboundPairs::Send(const proto::OutboundStanza& stanza, Deadline expires,
                         ipc::Ticket ticket) {
  State& state = *state_;
  if (state.draining)
    return state.Refuse(ticket, {OutboundFailure::kOverload, {}, "this listener is shutting down"});
  if (state.PartnerOf(stanza.remote_domain()) == nullptr || !state.IsOurs(stanza.local_domain()))
    return state.Refuse(ticket, {OutboundFailure::kNotPermitted, {}, "no such partner"});
  state.xml_scratch.clear();
  AppendXml(state.xml_scratch, stanza.stanza());
  state.Submit(state.FindPair(stanza.local_domain(), stanza.remote_domain()), expires,
               std::move(ticket));
}

void OutboundPairs::Test(const proto::TestStream& request,
                         std::function<void(proto::CtlResponse)> answer) {
  state_->StartTest(request, std::move(answer));
}

void OutboundPairs::Drain(std::function<void()> drained) {
  state_->draining = true;
  state_->drained = std::move(drained);
  if (!state_->tick.active()) state_->tick.StartRepeating(kTick);
  state_->sweep.Start(milliseconds{0});
}

std::size_t OutboundPairs::queued() const {
  std::size_t count = 0;
  for (const auto& [key, pair] : state_->pairs) count += pair->queue.size();
  for (const auto& [id, stream] : state_->streams) count += stream.unsent();
  return count;
}

std::size_t OutboundPairs::streams() const {
  return state_->streams.size();
}

std::size_t OutboundPairs::StreamsOf(std::string_view partner_id) const {
  return state_->StreamsOf(partner_id);
}

}  // namespace gatehouse
