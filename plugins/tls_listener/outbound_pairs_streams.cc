// Streams of OutboundPairs: opened, shared, ended.
#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/policy/downgrade_guard.h"
#include "plugins/tls_listener/outbound_outcome.h"
#include "plugins/tls_listener/outbound_pairs_state.h"

namespace gatehouse {
namespace {

constexpr milliseconds kDialbackResult = seconds{45};  // 3.3
constexpr seconds kEstablishment{60};                  // 1.4
constexpr std::uint32_t kPartnerConnections = 20;      // 1.4
constexpr int kMaxRedirects = 2;                       // 3.7
constexpr seconds kRedirectMemory{60};                 // a redirect later than that is a new one

}  // namespace

OutboundStream* OutboundPairs::State::FindStream(std::uint64_t id) {
  return streams.Find(id);
}

bool OutboundPairs::State::AtLimit(const proto::Partner& partner) const {
  std::uint32_t limit = partner.connection_limit();
  if (limit == 0) limit = policy->gateway().partner_connection_limit();
  if (limit == 0) limit = kPartnerConnections;
  std::size_t used = streams.OwnOf(partner.id());
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
  order.terms.may_go_clear = MayGoClear(partner);
  order.proxy = partner.proxy();
  order.trust_anchors = partner.trust_anchors();
  order.dane = DaneModeOf(partner);
  order.starttls = tls.starttls;
  order.direct = tls.direct;
  order.establishment_limit =
      OrDefault(policy->gateway().stream_establishment_timeout_s(), kEstablishment);
  return order;
}

bool OutboundPairs::State::MayGoClear(const proto::Partner& partner) const {
  return !tls_seen.contains(partner.id()) && gatehouse::MayGoClear(partner, UnixNow());
}

void OutboundPairs::State::RememberTls(const OutboundStream& stream) {
  const proto::Partner* partner = PartnerOf(stream.remote());
  if (partner != nullptr && gatehouse::MayGoClear(*partner, UnixNow()))
    tls_seen.insert_or_assign(partner->id(), stream.remote());
}

void OutboundPairs::State::NoteStream(const Pair& pair, proto::AuthMethod method,
                                      std::string_view why) {
  const proto::Partner* partner = PartnerOf(pair.remote);
  if (!setup.note_stream || partner == nullptr) return;
  proto::StreamRecord record;
  record.set_partner_id(partner->id());
  record.set_outbound(true);
  record.set_local_domain(pair.local);
  record.set_remote_domain(pair.remote);
  record.set_why(std::string(why));
  record.set_at_unix(static_cast<std::uint64_t>(UnixNow()));
  if (OutboundStream* stream = FindStream(pair.stream)) {
    record.set_peer(stream->connection().peer_address());
    record.set_tls(stream->connection().tls_version());
  }
  if (method != proto::AUTH_METHOD_NONE) record.set_method(std::string(MethodName(method)));
  setup.note_stream(std::move(record));
}

void OutboundPairs::State::Open(Pair& pair) {
  const proto::Partner* partner = PartnerOf(pair.remote);
  if (partner == nullptr || !IsOurs(pair.local))
    return RefuseToOpen(
        pair, {.failure = OutboundFailure::kNotPermitted,
               .text = "no such partner",
               .reason = partner != nullptr ? Reason::kNotOurDomain : WhyNoPartner(pair.remote)});
  if (UseLent(pair)) return;
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  if (pair.demand == OutboundDemand::kNone && Join(pair, methods)) return;
  if (AtLimit(*partner)) {
    CountFailure("partner-limit");
    return RefuseToOpen(pair, {.failure = OutboundFailure::kOverload,
                               .text = "connection limit of the partner",
                               .reason = Reason::kPartnerConnectionLimit});
  }
  const std::uint64_t id = ++last_id;
  OutboundStream& stream =
      streams.Add(OutboundStreamTable::Kind::kOwn, id, pair.remote, partner->id());
  stream.pair_keys.push_back(pair.key);
  stream.last_stanza = stream.last_octet = setup.loop.Now();
  pair.stream = id;
  OutboundConnection::Order order = OrderFor(pair.local, pair.remote, *partner);
  order.other_host = std::exchange(pair.other_host, {});
  order.terms.demand = pair.demand;
  order.terms.takes_theirs = TakesTheirs(*partner);
  stream.Attach(
      std::make_unique<OutboundConnection>(setup.loop, dialer, std::move(order), EventsFor(id)));
  stream.connection().Start();
}

// Sender multiplexing (2.8.7): onto a stream that dialback opened.
bool OutboundPairs::State::Join(Pair& pair, const MethodSet& methods) {
  const auto fits = [&](const OutboundStream* stream) {
    if (stream->closing || stream->is_lent() || !stream->connection().machine().MayAddPair())
      return false;
    const bool in_tls = stream->connection().machine().in_tls();
    return stream->pair_keys.size() < kMaxPairsPerStream &&
           (in_tls ? methods.tls_dialback : methods.tcp_dialback);
  };
  const auto to = streams.To(pair.remote);
  const auto found = std::ranges::find_if(to, fits);
  if (found == to.end()) return false;
  OutboundStream& stream = **found;
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
  events.on_acknowledged = [this, id](std::uint32_t h) { OnAcknowledged(id, h); };
  events.on_acks_refused = [this, id] { OnAcksRefused(id); };
  events.on_stanza = [this, id](const outbound::Deliver& stanza, proto::Element& element) {
    OnStanza(id, stanza, element);
  };
  events.on_answer = [this, id](const outbound::AnswerStanza& answer) {
    const OutboundStream* stream = FindStream(id);
    if (stream != nullptr) setup.intake->Answer(answer.local, stream->remote(), answer.reply);
  };
  events.on_read = [this, id] { CountRead(id); };
  events.on_writable = [this, id] { OnWritable(id); };
  events.on_dane = [this, id](const DaneReport& report) {
    if (const OutboundStream* stream = FindStream(id))
      NoteDane(setup.metrics, stream->remote(), report);
  };
  // The first of each stream: a peer may say as much of it as it likes.
  events.on_dropped = [id, told = false](std::string_view what) mutable {
    if (std::exchange(told, true)) return;
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
  // The row may have changed while the stream was opened.
  if (!IsPermitted(*stream)) return CloseStream(*stream, StreamCondition::kReset);
  Pair& pair = FindPair(local, stream->remote());
  if (pair.stream != id) return;  // it has left for a stream that was lent
  const TimePoint now = setup.loop.Now();
  if (stream->connection().machine().in_tls()) RememberTls(*stream);
  pair.open = true;
  pair.demand = OutboundDemand::kNone;
  if (method != proto::SASL_TLS) CountDialback("valid");
  pair.back_off.OnOpened(now);
  Log(LogLevel::kInfo, "stream-out-open",
      {{"local", local},
       {"remote", stream->remote()},
       {"method", MethodName(method)},
       {"peer", stream->connection().peer_address()}});
  open_gauge = static_cast<double>(streams.own());
  NoteStream(pair, method, {});
  FlushQueue(pair);
}

void OutboundPairs::State::Detach(Pair& pair) {
  if (OutboundStream* stream = FindStream(pair.stream)) std::erase(stream->pair_keys, pair.key);
  pair.stream = 0;
  pair.open = pair.added = false;
}

// 3.7: at most 2 hops in a row; the new host must prove the same domain.
bool OutboundPairs::State::IsRedirected(Pair& pair, const OutboundFault& fault) {
  if (fault.other_host.empty() || !ProxyTarget(fault.other_host)) return false;
  const TimePoint now = setup.loop.Now();
  if (now - pair.redirected_at >= kRedirectMemory) pair.redirects = 0;
  if (pair.redirects >= kMaxRedirects) return false;
  ++pair.redirects;
  pair.redirected_at = now;
  pair.other_host = fault.other_host;
  Log(LogLevel::kNotice, "stream-out-redirected",
      {{"local", pair.local}, {"remote", pair.remote}, {"to", fault.other_host}});
  return true;
}

// 3.6: once more at once, where the error names what was lacking and the row permits it.
bool OutboundPairs::State::TriesOtherwise(Pair& pair, const OutboundStream& stream,
                                          const OutboundFault& fault) {
  if (std::exchange(pair.demand, OutboundDemand::kNone) != OutboundDemand::kNone) return false;
  const proto::Partner* partner = PartnerOf(pair.remote);
  if (partner == nullptr || pair.queue.empty()) return false;
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  const bool in_tls = !stream.is_lent() && stream.connection().machine().in_tls();
  switch (fault.demand) {
    case OutboundDemand::kNone:
      return false;
    case OutboundDemand::kTls:
      if (in_tls || !(methods.sasl_tls || methods.tls_dialback)) return false;
      break;
    case OutboundDemand::kCertificate:
      if (!methods.sasl_tls || !tls.shows_certificate) return false;
      break;
    case OutboundDemand::kNewConnection:
      break;
  }
  Log(LogLevel::kNotice, "stream-out-again",
      {{"local", pair.local}, {"remote", pair.remote}, {"why", fault.text}});
  CountDialback("error");
  pair.demand = fault.demand;
  pair.added = false;
  Open(pair);
  return true;
}

void OutboundPairs::State::OnPairFailed(std::uint64_t id, std::string_view local,
                                        const OutboundFault& fault) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  Pair& pair = FindPair(local, stream->remote());
  if (pair.stream != id) return;
  Detach(pair);
  if (!TriesOtherwise(pair, *stream, fault)) GiveUp(pair, fault);
}

void OutboundPairs::State::OnStreamFailed(std::uint64_t id, const OutboundFault& fault) {
  if (OutboundStream* stream = FindStream(id)) Abandon(*stream, fault);
}

// Takes every pair off a stream that is over. A pair that was open there, or whose stream we closed
// because its partner's row has changed, tries again for what still waits.
void OutboundPairs::State::Abandon(OutboundStream& stream, const OutboundFault& fault) {
  stream.closing = true;
  const TimePoint now = setup.loop.Now();
  TakeBack(stream);
  refused += static_cast<double>(stream.unsent());
  stream.FailUnsent(OutcomeOf(fault));
  for (const std::string& key : std::exchange(stream.pair_keys, {})) {
    Pair& pair = *pairs.at(key);
    const bool was_open = std::exchange(pair.open, false);
    pair.stream = 0;
    if (UseLent(pair)) continue;
    if (IsRedirected(pair, fault)) {
      if (!pair.queue.empty()) Open(pair);
      continue;
    }
    pair.added = false;
    if (!was_open && TriesOtherwise(pair, stream, fault)) continue;
    if (!was_open && fault.retry != RetryClass::kAtOnce) {
      GiveUp(pair, fault);
      continue;
    }
    Log(LogLevel::kInfo, "stream-out-closed",
        {{"local", pair.local}, {"remote", pair.remote}, {"why", fault.text}});
    pair.back_off.OnLost(fault, now);
    if (pair.queue.empty()) continue;
    const milliseconds wait = pair.back_off.Remaining(now);
    if (wait > milliseconds{0})
      refused += static_cast<double>(pair.queue.SettleNew(OutcomeOf(fault, wait)));
    else
      Open(pair);
  }
}

void OutboundPairs::State::CloseStream(OutboundStream& stream, std::optional<StreamCondition> say) {
  if (stream.closing) return;
  if (LentStream* lent = stream.lent())
    return lent->EndWith(say.value_or(StreamCondition::kReset));  // the loan ends inside
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
    streams.Erase(id);
    tests.erase(id);
  }
  open_gauge = static_cast<double>(streams.own());
  CheckDrained();
}

void OutboundPairs::State::OnWritable(std::uint64_t id) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  for (const std::string& key : std::vector(stream->pair_keys)) FlushQueue(*pairs.at(key));
}

}  // namespace gatehouse
