#include "plugins/sip_translator/server_transaction.h"

#include <algorithm>
#include <span>

namespace gatehouse {
namespace {

std::span<const ServerStep> ServerStepsOf(TransactionKind kind) {
  if (kind == TransactionKind::kInvite) return kInviteServerSteps;
  return kNonInviteServerSteps;
}

// When the client's Timer E is first set to T2: after T1 + 2 T1 + 4 T1 ... with the standard
// values.
milliseconds UntilClientReachesT2(const TransactionTimes& times) {
  milliseconds total{0};
  for (milliseconds interval = times.t1; interval < times.t2; interval *= 2) total += interval;
  return total;
}

}  // namespace

ServerTransaction::ServerTransaction(TransactionKind kind, TransactionTimes times, TimePoint now)
    : kind_(kind),
      times_(times),
      state_(kind == TransactionKind::kInvite ? ServerState::kProceeding : ServerState::kTrying),
      interval_(times.t1) {
  if (kind == TransactionKind::kNonInvite) trying_at_ = now + UntilClientReachesT2(times);
}

std::uint8_t ServerTransaction::On(ServerEvent event, TimePoint now) {
  const auto steps = ServerStepsOf(kind_);
  const auto step = std::ranges::find_if(
      steps, [&](const ServerStep& row) { return row.from == state_ && row.on == event; });
  if (step == steps.end()) return kServerNothing;
  if (event == ServerEvent::kRetransmitDue) {
    interval_ = std::min(interval_ * 2, times_.t2);
    retransmit_at_ = now + interval_;
  }
  if (step->to != state_) Enter(step->to, now);
  return step->actions;
}

void ServerTransaction::Enter(ServerState state, TimePoint now) {
  state_ = state;
  const bool invite = kind_ == TransactionKind::kInvite;
  trying_at_ = retransmit_at_ = time_out_at_ = linger_until_ = kNever;
  if (state == ServerState::kAccepted) linger_until_ = now + times_.TimeOut();  // L
  if (state == ServerState::kCompleted && invite) {
    time_out_at_ = now + times_.TimeOut();                   // H
    if (!times_.reliable) retransmit_at_ = now + interval_;  // G
  }
  const bool lingers =
      (state == ServerState::kCompleted && !invite) || state == ServerState::kConfirmed;
  if (!lingers) return;
  if (times_.reliable) {
    state_ = ServerState::kTerminated;  // I and J are zero
  } else {
    linger_until_ = now + (invite ? times_.t4 : times_.TimeOut());
  }
}

std::uint8_t ServerTransaction::OnTime(TimePoint now) {
  if (now >= linger_until_) return On(ServerEvent::kLingerOver, now);
  if (now >= time_out_at_) return On(ServerEvent::kTimeOut, now);
  if (now >= retransmit_at_) return On(ServerEvent::kRetransmitDue, now);
  if (now >= trying_at_) return On(ServerEvent::kTryingDue, now);
  return kServerNothing;
}

TimePoint ServerTransaction::NextDeadline() const {
  return std::min({trying_at_, retransmit_at_, time_out_at_, linger_until_});
}

}  // namespace gatehouse
