#include "plugins/tls_listener/outbound_pairs.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/base/log.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/xml_writer.h"
#include "plugins/tls_listener/outbound_outcome.h"
#include "plugins/tls_listener/outbound_pairs_state.h"

namespace gatehouse {
namespace {

constexpr milliseconds kPairsTick = seconds{1};
constexpr milliseconds kForgetEvery = seconds{60};
// So long after its last use or the end of its back-off. A pair that fails and is wanted again
// within it backs off longer still; one that is forgotten would begin anew.
constexpr milliseconds kForgetAfter = 2 * OutboundBackOff::kLongestWait;
constexpr seconds kInactivity{600}, kKeepAlive{300};  // 1.4

}  // namespace

// --- stanzas

OutboundPair& OutboundPairs::State::FindPair(std::string_view local, std::string_view remote) {
  key_scratch.assign(local).append(1, '\n').append(remote);
  auto& pair = pairs[key_scratch];
  if (!pair) {
    pair = std::make_unique<Pair>(key_scratch, std::string(local), std::string(remote), random);
    if (!forget.active()) forget.StartRepeating(kForgetEvery);
  }
  pair->used_at = setup.loop.Now();
  return *pair;
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
OutboundQueue::Entry OutboundPairs::State::EntryOf(const proto::Element& stanza, Deadline expires,
                                                   ipc::Ticket ticket) {
  OutboundQueue::Entry entry{xml_scratch, expires, std::move(ticket), ReturnOf(stanza), {}, false};
  if (entry.on_loss == StanzaReturn::kIfNewest) entry.subject = SubjectOf(stanza);
  return entry;
}

// xml_scratch holds the stanza.
void OutboundPairs::State::Submit(Pair& pair, const proto::Element& stanza, Deadline expires,
                                  ipc::Ticket ticket) {
  const TimePoint now = setup.loop.Now();
  OutboundStream* stream = pair.open ? FindStream(pair.stream) : nullptr;
  if (stream != nullptr && pair.queue.empty() && stream->HasRoom()) {
    if (stream->has_acks())
      stream->WriteCounted(EntryOf(stanza, expires, std::move(ticket)), pair, now);
    else
      stream->Write(xml_scratch, std::move(ticket), now);
    written.push_back(stream->id());
    return end_of_turn.Arm();
  }
  const milliseconds wait = pair.stream == 0 ? pair.back_off.Remaining(now) : milliseconds{0};
  if (wait > milliseconds{0}) return Refuse(ticket, pair.back_off.last_fault(), wait);
  OutboundQueue::Entry entry = EntryOf(stanza, expires, std::move(ticket));
  if (!pair.queue.Push(entry, now))
    return Refuse(entry.ticket,
                  {OutboundFailure::kOverload, {}, "queue of the domain pair is full"});
  if (!tick.active()) tick.StartRepeating(kPairsTick);
  if (pair.stream == 0) Open(pair);
}

void OutboundPairs::State::FlushQueue(Pair& pair) {
  OutboundStream* stream = FindStream(pair.stream);
  if (!pair.open || stream == nullptr) return;
  const TimePoint now = setup.loop.Now();
  pair.queue.Expire(now);
  while (!pair.queue.empty() && stream->HasRoom()) {
    OutboundQueue::Entry entry = pair.queue.Pop();
    if (stream->has_acks())
      stream->WriteCounted(std::move(entry), pair, now);
    else
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
    stream->AskForAck(setup.loop.Now());
    stream->CloseBatch([this, id] {
      OutboundStream* flushed = FindStream(id);
      if (flushed != nullptr) sent += static_cast<double>(flushed->SettleOldestBatch());
      if (draining) sweep.Start(milliseconds{0});
    });
  }
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
  OpenWaiting(now);
  CheckDrained();
  if (streams.empty() && !waiting) tick.Stop();
}

// Nothing points at what is forgotten: no stream serves it, or has stanzas of it to give back.
void OutboundPairs::State::ForgetUnused(TimePoint now) {
  std::unordered_set<const Pair*> on_streams;
  for (const auto& [id, stream] : streams) {
    stream.unacknowledged().AddPairs(on_streams);
    for (const std::string& key : stream.pair_keys) on_streams.insert(pairs.at(key).get());
  }
  std::erase_if(pairs, [&](const auto& each) {
    Pair& pair = *each.second;
    const bool used = pair.stream != 0 || !pair.queue.empty() || on_streams.contains(&pair) ||
                      pair.back_off.Remaining(now) > milliseconds{0};
    if (used) pair.used_at = now;
    return now - pair.used_at >= kForgetAfter;
  });
  if (pairs.empty()) forget.Stop();
}

void OutboundPairs::State::TickStream(OutboundStream& stream, TimePoint now) {
  if (stream.closing) return;
  if (!stream.is_lent() && stream.connection().machine().state() != OutboundState::kOpen) return;
  const bool is_read = !stream.brake || !stream.brake->is_stopped();
  if (is_read && stream.unacknowledged().IsOverdue(now))
    return CloseStream(stream, StreamCondition::kConnectionTimeout);
  stream.AskForAck(now);
  if (stream.is_lent()) return;  // the rest is its owner's
  if (now - stream.last_stanza >= kRestAfter) stream.connection().Rest();
  const proto::GatewaySettings& gateway = policy->gateway();
  if (now - stream.last_stanza >= OrDefault(gateway.stream_inactivity_timeout_s(), kInactivity) &&
      stream.unsent() == 0 && !stream.connection().machine().has_unhandled())
    return CloseStream(stream, {});
  const proto::Partner* partner = PartnerOf(stream.remote());
  if (partner == nullptr || !partner->keep_alive()) return;
  if (now - stream.last_octet < OrDefault(gateway.keep_alive_interval_s(), kKeepAlive)) return;
  stream.connection().Send(" ");  // the peer answers pings on its own stream to us (2.12)
  stream.last_octet = now;
}

// --- settings

// By the row in force now: the method the stream has used; while that is open, the row it began
// with must still be its partner's.
bool OutboundPairs::State::IsPermitted(const OutboundStream& stream) const {
  if (stream.is_lent()) return true;  // its owner sees to it
  const proto::Partner* partner = PartnerOf(stream.remote());
  if (partner == nullptr) return false;
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  const proto::AuthMethod method = stream.connection().machine().method();
  const proto::AuthMethod theirs = stream.connection().machine().their_method();
  if (theirs != proto::AUTH_METHOD_NONE && !(partner->bidi() && methods.Has(theirs))) return false;
  const bool by_dialback = method == proto::TLS_DIALBACK || method == proto::TCP_DIALBACK;
  if (!by_dialback && stream.connection().trust_anchors() != partner->trust_anchors()) return false;
  // What decided then decides no more, or the other way round.
  const bool enforced = stream.connection().dane_mode() == DaneMode::kEnforce;
  if (enforced != (DaneModeOf(*partner) == DaneMode::kEnforce)) return false;
  if (method != proto::AUTH_METHOD_NONE) return methods.Has(method);
  return !methods.empty() && stream.connection().machine().terms().row == RowOf(*partner);
}

void OutboundPairs::State::CheckPolicy() {
  if (!policy) return;
  std::erase_if(tls_seen, [this](const auto& seen) {
    const proto::Partner* partner = PartnerOf(seen.second);
    return partner == nullptr || partner->tls_seen_unix() != 0;
  });
  for (auto& [id, stream] : streams) {
    if (stream.closing || stream.is_lent()) continue;
    const bool ours = std::ranges::all_of(
        stream.pair_keys, [this](const std::string& key) { return IsOurs(pairs.at(key)->local); });
    if (!ours || !IsPermitted(stream)) CloseStream(stream, StreamCondition::kReset);
  }
}

void OutboundPairs::State::JudgeAnew() {
  for (auto& [id, stream] : streams)
    if (!stream.closing && !stream.is_lent() && stream.connection().IsRevokedBy(tls.starttls))
      CloseStream(stream, StreamCondition::kReset);
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
  if (!policy) return answer(TestWithoutPolicy());
  const auto remote = PrepareDomain(request.domain());
  const auto local = request.local_domain().empty() && !domains.empty()
                         ? Result<std::string>(domains.front())
                         : PrepareDomain(request.local_domain());
  const auto refuse = [&](std::string text, Reason reason) {
    answer(RefusedTest(
        {.failure = OutboundFailure::kNotPermitted, .text = std::move(text), .reason = reason}));
  };
  if (!remote) return refuse("no domain name: " + request.domain(), Reason::kUnknownPartner);
  if (!local || !IsOurs(*local))
    return refuse("no domain of ours: " + request.local_domain(), Reason::kNotOurDomain);
  if (IsOurs(*remote)) return answer(RefusedTestOfOurs(*remote));
  const proto::Partner* partner = PartnerOf(*remote);
  if (partner == nullptr)
    return refuse("no enabled partner has the domain " + *remote, WhyNoPartner(*remote));
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

void OutboundPairs::JudgeAnew() {
  state_->JudgeAnew();
}

void OutboundPairs::Send(const proto::OutboundStanza& stanza, Deadline expires,
                         ipc::Ticket ticket) {
  State& state = *state_;
  if (state.draining)
    return state.Refuse(ticket, {OutboundFailure::kOverload, {}, "this listener is shutting down"});
  if (state.PartnerOf(stanza.remote_domain()) == nullptr || !state.IsOurs(stanza.local_domain()))
    return state.Refuse(ticket, {OutboundFailure::kNotPermitted, {}, "no such partner"});
  OutboundPair& pair = state.FindPair(stanza.local_domain(), stanza.remote_domain());
  OutboundStream* stream = pair.open ? state.FindStream(pair.stream) : nullptr;
  const bool is_ping = stanza.on_open_stream_only();
  if (is_ping && stream == nullptr)
    return ticket.Settle(ipc::Outcome::Failed(proto::RECIPIENT_UNAVAILABLE, "no stream is open"));
  const TimePoint active = is_ping ? stream->last_stanza : TimePoint{};
  state.xml_scratch.clear();
  AppendXml(state.xml_scratch, stanza.stanza());
  state.Submit(pair, stanza.stanza(), expires, std::move(ticket));
  if (is_ping) stream->last_stanza = active;  // a ping keeps no stream open (2.12)
}

void OutboundPairs::Test(const proto::TestStream& request,
                         std::function<void(proto::CtlResponse)> answer) {
  state_->StartTest(request, std::move(answer));
}

void OutboundPairs::Drain(std::function<void()> drained) {
  state_->draining = true;
  state_->drained = std::move(drained);
  if (!state_->tick.active()) state_->tick.StartRepeating(kPairsTick);
  state_->sweep.Start(milliseconds{0});
}

void OutboundPairs::ForgetUnused(TimePoint now) {
  state_->ForgetUnused(now);
}

std::size_t OutboundPairs::pairs() const {
  return state_->pairs.size();
}

std::size_t OutboundPairs::queued() const {
  std::size_t count = 0;
  for (const auto& [key, pair] : state_->pairs) count += pair->queue.size();
  for (const auto& [id, stream] : state_->streams) count += stream.unsent();
  return count;
}

std::size_t OutboundPairs::streams() const {
  return state_->streams.own();
}

void OutboundPairs::SetLimits(const proto::Limits& limits) {
  state_->their_rate = RateOf(limits);
}

std::size_t OutboundPairs::StreamsOf(std::string_view partner_id) const {
  return state_->streams.OwnOf(partner_id);
}

void OutboundPairs::ForEachStream(
    const std::function<void(std::string_view partner_id)>& visit) const {
  for (const auto& [id, stream] : state_->streams)
    if (!stream.is_lent()) visit(stream.partner_id());
}

}  // namespace gatehouse
