// The server transaction as a value: events and time in, actions out. It owns no socket and no
// message. RFC 3261 §17.2 (figures 7 and 8), RFC 6026 §7.1, RFC 4320 §4.1
#pragma once

#include <array>
#include <cstdint>

#include "plugins/sip_translator/transaction_times.h"

namespace gatehouse {

enum class ServerState : std::uint8_t {
  kTrying,  // non-INVITE before any response
  kProceeding,
  kAccepted,  // INVITE after 2xx
  kCompleted,
  kConfirmed,  // INVITE after ACK
  kTerminated
};
enum class ServerEvent : std::uint8_t {
  kRequest,  // the same request again
  kAck,
  kProvisional,    // the user answers 1xx
  kSuccess,        // 2xx
  kFailure,        // 3xx to 6xx
  kTryingDue,      // non-INVITE: Timer E of the client has reached T2 (RFC 4320)
  kRetransmitDue,  // Timer G
  kTimeOut,        // Timer H
  kLingerOver      // Timer I, J or L
};
// A set of bits.
enum ServerAction : std::uint8_t {
  kServerNothing = 0,
  kSendResponse = 1,  // the response the user gives now
  kResend = 2,        // the last response again
  kSendTrying = 4,    // 100
  kPassAck = 8,       // to the user, for a 2xx
  kTellNoAck = 16     // Timer H
};

struct ServerStep {
  ServerState from;
  ServerEvent on;
  ServerState to;
  std::uint8_t actions;
};

// clang-format off
inline constexpr std::array kNonInviteServerSteps = {  // figure 8
    ServerStep{ServerState::kTrying,     ServerEvent::kRequest,       ServerState::kTrying,     kServerNothing},
    ServerStep{ServerState::kTrying,     ServerEvent::kTryingDue,     ServerState::kProceeding, kSendTrying},
    ServerStep{ServerState::kTrying,     ServerEvent::kProvisional,   ServerState::kProceeding, kSendResponse},
    ServerStep{ServerState::kTrying,     ServerEvent::kSuccess,       ServerState::kCompleted,  kSendResponse},
    ServerStep{ServerState::kTrying,     ServerEvent::kFailure,       ServerState::kCompleted,  kSendResponse},
    ServerStep{ServerState::kProceeding, ServerEvent::kRequest,       ServerState::kProceeding, kResend},
    ServerStep{ServerState::kProceeding, ServerEvent::kProvisional,   ServerState::kProceeding, kSendResponse},
    ServerStep{ServerState::kProceeding, ServerEvent::kSuccess,       ServerState::kCompleted,  kSendResponse},
    ServerStep{ServerState::kProceeding, ServerEvent::kFailure,       ServerState::kCompleted,  kSendResponse},
    ServerStep{ServerState::kCompleted,  ServerEvent::kRequest,       ServerState::kCompleted,  kResend},
    ServerStep{ServerState::kCompleted,  ServerEvent::kLingerOver,    ServerState::kTerminated, kServerNothing},
};
inline constexpr std::array kInviteServerSteps = {  // figure 7 as RFC 6026 §7.1 changed it
    ServerStep{ServerState::kProceeding, ServerEvent::kRequest,       ServerState::kProceeding, kResend},
    ServerStep{ServerState::kProceeding, ServerEvent::kProvisional,   ServerState::kProceeding, kSendResponse},
    ServerStep{ServerState::kProceeding, ServerEvent::kSuccess,       ServerState::kAccepted,   kSendResponse},
    ServerStep{ServerState::kProceeding, ServerEvent::kFailure,       ServerState::kCompleted,  kSendResponse},
    ServerStep{ServerState::kAccepted,   ServerEvent::kRequest,       ServerState::kAccepted,   kServerNothing},
    ServerStep{ServerState::kAccepted,   ServerEvent::kSuccess,       ServerState::kAccepted,   kSendResponse},
    ServerStep{ServerState::kAccepted,   ServerEvent::kAck,           ServerState::kAccepted,   kPassAck},
    ServerStep{ServerState::kAccepted,   ServerEvent::kLingerOver,    ServerState::kTerminated, kServerNothing},
    ServerStep{ServerState::kCompleted,  ServerEvent::kRequest,       ServerState::kCompleted,  kResend},
    ServerStep{ServerState::kCompleted,  ServerEvent::kRetransmitDue, ServerState::kCompleted,  kResend},
    ServerStep{ServerState::kCompleted,  ServerEvent::kAck,           ServerState::kConfirmed,  kServerNothing},
    ServerStep{ServerState::kCompleted,  ServerEvent::kTimeOut,       ServerState::kTerminated, kTellNoAck},
    ServerStep{ServerState::kConfirmed,  ServerEvent::kAck,           ServerState::kConfirmed,  kServerNothing},
    ServerStep{ServerState::kConfirmed,  ServerEvent::kLingerOver,    ServerState::kTerminated, kServerNothing},
};
// clang-format on

class ServerTransaction {
 public:
  // The request has just arrived.
  ServerTransaction(TransactionKind kind, TransactionTimes times, TimePoint now);

  // Takes an event; gives ServerAction bits. An event that the state has no row for changes
  // nothing.
  std::uint8_t On(ServerEvent event, TimePoint now);
  // Takes what the clock brings; call it at NextDeadline.
  std::uint8_t OnTime(TimePoint now);
  [[nodiscard]] TimePoint NextDeadline() const;
  [[nodiscard]] ServerState state() const { return state_; }
  [[nodiscard]] bool answered() const { return state_ > ServerState::kProceeding; }

 private:
  void Enter(ServerState state, TimePoint now);

  TransactionKind kind_;
  TransactionTimes times_;
  ServerState state_;
  milliseconds interval_;
  TimePoint trying_at_ = kNever;
  TimePoint retransmit_at_ = kNever;
  TimePoint time_out_at_ = kNever;
  TimePoint linger_until_ = kNever;
};

}  // namespace gatehouse
