// What OutboundPairs is made of; included by its own sources only.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/loop/timer.h"
#include "core/policy/negotiation.h"
#include "plugins/tls_listener/outbound_back_off.h"
#include "plugins/tls_listener/outbound_pairs.h"
#include "plugins/tls_listener/outbound_queue.h"
#include "plugins/tls_listener/outbound_stream_table.h"
#include "plugins/tls_listener/outbound_test.h"

namespace gatehouse {

// One domain pair: what waits for a stream, and the stream if there is one.
struct OutboundPair {
  OutboundPair(std::string pair_key, std::string local_domain, std::string remote_domain,
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
  std::string other_host;  // the next stream goes there (3.7); empty: by DNS or proxy
  int redirects = 0;       // in a row
  OutboundDemand demand = OutboundDemand::kNone;  // of the attempt after a dialback error (3.6)
  TimePoint redirected_at{};
  TimePoint used_at{};  // last looked for, or found in use
};

struct OutboundPairs::State {
  using Pair = OutboundPair;

  explicit State(Setup what)
      : setup(std::move(what)),
        random(SystemRandom()),
        dialer(setup.loop, setup.dns,
               TargetGuard(setup.own_addresses, setup.allow_loopback_targets), random),
        end_of_turn(setup.loop, [this] { CloseBatches(); }),
        tick(setup.loop, [this] { OnTick(); }),
        sweep(setup.loop, [this] { Sweep(); }),
        acks_turn(setup.loop, [this] { SendAcks(); }),
        forget(setup.loop, [this] { ForgetUnused(setup.loop.Now()); }),
        sent(setup.metrics.Value("gatehouse_stanzas_total",
                                 "{direction=\"out\",result=\"delivered\"}")),
        refused(setup.metrics.Value("gatehouse_stanzas_total",
                                    "{direction=\"out\",result=\"failed\"}")),
        open_gauge(setup.metrics.Value("gatehouse_streams", "{direction=\"out\"}")) {}

  Pair& FindPair(std::string_view local, std::string_view remote);
  const proto::Partner* PartnerOf(const std::string& remote) const;
  bool IsOurs(const std::string& domain) const {
    return std::ranges::find(domains, domain) != domains.end();
  }
  void Submit(Pair& pair, const proto::Element& stanza, Deadline expires, ipc::Ticket ticket);
  OutboundQueue::Entry EntryOf(const proto::Element& stanza, Deadline expires, ipc::Ticket ticket);
  void Refuse(ipc::Ticket& ticket, const OutboundFault& fault, milliseconds retry_after = {});
  void FlushQueue(Pair& pair);

  void Open(Pair& pair);
  bool Join(Pair& pair, const MethodSet& methods);
  OutboundConnection::Order OrderFor(const std::string& local, const std::string& remote,
                                     const proto::Partner& partner) const;
  OutboundConnection::Events EventsFor(std::uint64_t id);
  bool IsPermitted(const OutboundStream& stream) const;
  bool AtLimit(const proto::Partner& partner) const;
  bool MayGoClear(const proto::Partner& partner) const;
  void RememberTls(const OutboundStream& stream);
  void RefuseToOpen(Pair& pair, const OutboundFault& fault);
  Reason WhyNoPartner(const std::string& remote) const;
  NotedRefusal NoteFailure(const Pair& pair, const OutboundFault& fault) const;
  static void LogFailure(const Pair& pair, const OutboundFault& fault, std::string_view id);
  // `method` NONE: it could not be opened, for `why`.
  void NoteStream(const Pair& pair, proto::AuthMethod method, std::string_view why);

  OutboundStream* FindStream(std::uint64_t id);
  void OnMakeKey(std::uint64_t id, std::string_view local, std::string_view stream_id);
  void OnPairOpen(std::uint64_t id, std::string_view local, proto::AuthMethod method);
  void OnPairFailed(std::uint64_t id, std::string_view local, const OutboundFault& fault);
  void OnStreamFailed(std::uint64_t id, const OutboundFault& fault);
  void OnGone(std::uint64_t id);
  void OnWritable(std::uint64_t id);
  void OnAcknowledged(std::uint64_t id, std::uint32_t h);
  void Acknowledged(OutboundStream& stream, std::vector<Unacknowledged::Sent>& done, bool had_room);
  void OnStanza(std::uint64_t id, const outbound::Deliver& stanza, proto::Element& element);
  void OnHandled(std::uint64_t id, std::uint64_t number);
  void SendAcks();
  void KeepToRoom(OutboundStream& stream);
  ReadingBrake& BrakeOf(OutboundStream& stream);
  void CountRead(std::uint64_t id);
  bool TakesTheirs(const proto::Partner& partner) const {
    return partner.bidi() && setup.intake != nullptr;
  }
  std::uint64_t Lend(LentStream& lent, std::uint64_t so_far, Pair& pair);
  // Puts the pair on a stream that is lent for it. False: there is none.
  bool UseLent(Pair& pair);
  void Use(Pair& pair, OutboundStream& lent);
  void LeaveAttempt(Pair& pair);
  void EndLoan(std::uint64_t id);
  void OnAcksRefused(std::uint64_t id);
  void TakeBack(OutboundStream& stream);
  void TakeBack(Unacknowledged::Sent sent, std::set<std::string>& newer);
  void OpenWaiting(TimePoint now);
  void Detach(Pair& pair);
  void GiveUp(Pair& pair, const OutboundFault& fault);
  bool IsRedirected(Pair& pair, const OutboundFault& fault);
  bool TriesOtherwise(Pair& pair, const OutboundStream& stream, const OutboundFault& fault);
  void CountFailure(std::string_view reason);  // of an attempt to have a stream
  void CountDialback(std::string_view result);
  void CloseStream(OutboundStream& stream, std::optional<StreamCondition> say);
  void Abandon(OutboundStream& stream, const OutboundFault& fault);

  void CloseBatches();
  static seconds OrDefault(std::uint32_t value, seconds fallback) {
    return value == 0 ? fallback : seconds{value};
  }
  void OnTick();
  void ForgetUnused(TimePoint now);
  void TickStream(OutboundStream& stream, TimePoint now);
  void Sweep();
  void CheckPolicy();
  void JudgeAnew();
  void CheckDrained();
  void StartTest(const proto::TestStream& request, OutboundTest::Answer answer);

  Setup setup;
  RandomBelow random;
  OutboundDialer dialer;
  PolicyPointer policy;
  std::vector<std::string> domains;
  TlsContexts tls;
  std::unordered_map<std::string, std::unique_ptr<Pair>> pairs;
  OutboundStreamTable streams;
  std::map<std::uint64_t, std::unique_ptr<OutboundTest>> tests;
  std::uint64_t last_id = 0;
  std::vector<std::uint64_t> written;  // streams written to in this turn
  std::vector<std::uint64_t> gone;     // streams and tests to destroy
  // Partner id to remote domain: TLS has succeeded, and the snapshot does not say so yet (3.4.1).
  std::unordered_map<std::string, std::string> tls_seen;
  std::string key_scratch, xml_scratch;
  bool draining = false;
  std::function<void()> drained;
  EndOfTurn end_of_turn;
  Timer tick, sweep;
  std::vector<std::uint64_t> acks_due;  // streams whose peers wait for an acknowledgement
  EndOfTurn acks_turn;
  Timer forget;  // runs while there are pairs
  StanzaRate their_rate = RateOf({});
  double& sent;
  double& refused;
  double& open_gauge;
};

}  // namespace gatehouse
