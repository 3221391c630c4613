// Attempts of OutboundPairs that failed: counted, logged, remembered, told to who waited.
#include "core/base/log.h"
#include "core/xmpp/element.h"
#include "plugins/tls_listener/outbound_outcome.h"
#include "plugins/tls_listener/outbound_pairs_state.h"

namespace gatehouse {

NotedRefusal OutboundPairs::State::NoteFailure(const Pair& pair, const OutboundFault& fault) const {
  if (!setup.note_refusal) return {};
  return setup.note_refusal({.direction = Direction::kSipToXmpp,
                             .local = pair.local,
                             .remote = pair.remote,
                             .reason = ReasonOf(fault),
                             .answer = ConditionName(ConditionOf(fault.failure)),
                             .detail = fault.text,
                             .proven = true});
}

void OutboundPairs::State::LogFailure(const Pair& pair, const OutboundFault& fault,
                                      std::string_view id) {
  Log(LogLevel::kNotice, "stream-out-failed",
      {{"local", pair.local},
       {"remote", pair.remote},
       {"failure", FailureName(fault.failure)},
       {"why", fault.text},
       {"reason", ReasonCode(ReasonOf(fault))},
       {"id", id}});
}

// Nothing was tried: what comes later may find room.
void OutboundPairs::State::RefuseToOpen(Pair& pair, const OutboundFault& fault) {
  const NotedRefusal noted = NoteFailure(pair, fault);
  if (noted.is_new) LogFailure(pair, fault, noted.id);
  pair.queue.SettleAll(OutcomeOf(fault));
}

Reason OutboundPairs::State::WhyNoPartner(const std::string& remote) const {
  return policy ? policy->WhyNoPartner(remote) : Reason::kUnknownPartner;
}

void OutboundPairs::State::CountFailure(std::string_view reason) {
  ++setup.metrics.Value("gatehouse_streams_failed_total",
                        "{direction=\"out\",reason=\"" + std::string(reason) + "\"}");
}

void OutboundPairs::State::CountDialback(std::string_view result) {
  ++setup.metrics.Value("gatehouse_dialbacks_total",
                        "{direction=\"out\",result=\"" + std::string(result) + "\"}");
}

// The attempt of this pair failed: all that waited for it is told so, what comes later that we back
// off (3.9).
void OutboundPairs::State::GiveUp(Pair& pair, const OutboundFault& fault) {
  CountFailure(FailureName(fault.failure));
  if (fault.failure == OutboundFailure::kKeyRefused) CountDialback("invalid");
  if (fault.failure == OutboundFailure::kDialbackError) CountDialback("error");
  const TimePoint now = setup.loop.Now();
  pair.back_off.OnFailed(fault, now);
  LogFailure(pair, fault, NoteFailure(pair, fault).id);
  NoteStream(pair, proto::AUTH_METHOD_NONE, fault.text);
  // What was on a stream before waits for another attempt, within its own time.
  refused += static_cast<double>(pair.queue.SettleNew(OutcomeOf(fault)));
}

}  // namespace gatehouse
