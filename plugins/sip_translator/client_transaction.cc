#include "plugins/sip_translator/client_transaction.h"

#include <algorithm>
#include <span>

namespace gatehouse {
namespace {

constexpr milliseconds kTimerD{32000};

std::span<const ClientStep> StepsOf(TransactionKind kind) {
  if (kind == TransactionKind::kInvite) return kInviteClientSteps;
  return kNonInviteClientSteps;
}

}  // namespace

ClientTransaction::ClientTransaction(TransactionKind kind, TransactionTimes times, TimePoint now)
    : kind_(kind), times_(times), interval_(times.t1), time_out_at_(now + times.TimeOut()) {
  if (!times_.reliable) retransmit_at_ = now + interval_;
}

std::uint8_t ClientTransaction::On(ClientEvent event, TimePoint now) {
  const auto steps = StepsOf(kind_);
  const auto step = std::ranges::find_if(
      steps, [&](const ClientStep& row) { return row.from == state_ && row.on == event; });
  if (step == steps.end()) return kClientNothing;
  if (event == ClientEvent::kRetransmitDue) SetNextRetransmit(now);
  if (step->to != state_) Enter(step->to, now);
  return step->actions;
}

void ClientTransaction::SetNextRetransmit(TimePoint now) {
  interval_ *= 2;
  if (kind_ == TransactionKind::kNonInvite) interval_ = std::min(interval_, times_.t2);
  if (state_ == ClientState::kProceeding) interval_ = times_.t2;
  retransmit_at_ = now + interval_;
}

void ClientTransaction::Enter(ClientState state, TimePoint now) {
  state_ = state;
  const bool invite = kind_ == TransactionKind::kInvite;
  if (state == ClientState::kProceeding && !invite) return;  // E and F go on (§17.1.2.2)
  retransmit_at_ = time_out_at_ = linger_until_ = kNever;
  if (state == ClientState::kAccepted) linger_until_ = now + times_.TimeOut();
  if (state != ClientState::kCompleted) return;
  if (times_.reliable) {
    state_ = ClientState::kTerminated;  // D and K are zero
  } else {
    linger_until_ = now + (invite ? kTimerD : times_.t4);
  }
}

std::uint8_t ClientTransaction::OnTime(TimePoint now) {
  if (now >= linger_until_) return On(ClientEvent::kLingerOver, now);
  if (now >= time_out_at_) return On(ClientEvent::kTimeOut, now);
  if (now >= retransmit_at_) return On(ClientEvent::kRetransmitDue, now);
  return kClientNothing;
}

TimePoint ClientTransaction::NextDeadline() const {
  return std::min({retransmit_at_, time_out_at_, linger_until_});
}

}  // namespace gatehouse
