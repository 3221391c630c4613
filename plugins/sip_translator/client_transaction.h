// The client transaction as a value: events and time in, actions out. It owns no socket and no
// message. RFC 3261 §17.1 (figures 5 and 6), RFC 6026 §7.2, §8.4
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "plugins/sip_translator/transaction_times.h"

namespace gatehouse {

enum class ClientState : std::uint8_t {
  kTrying,  // "Calling" for INVITE
  kProceeding,
  kAccepted,  // INVITE after 2xx
  kCompleted,
  kTerminated
};
enum class ClientEvent : std::uint8_t {
  kProvisional,    // 1xx
  kSuccess,        // 2xx
  kFailure,        // 3xx to 6xx
  kRetransmitDue,  // Timer A or E
  kTimeOut,        // Timer B or F
  kLingerOver,     // Timer D, K or M
  kTransportError
};
// What the caller does, in this order; a set of bits.
enum ClientAction : std::uint8_t {
  kClientNothing = 0,
  kSendRequest = 1,   // the same bytes again
  kSendAck = 2,       // for a non-2xx final response
  kPassResponse = 4,  // to the transaction user
  kTellTimeOut = 8,
  kTellTransportError = 16
};

struct ClientStep {
  ClientState from;
  ClientEvent on;
  ClientState to;
  std::uint8_t actions;
};

// clang-format off
inline constexpr std::array kNonInviteClientSteps = {  // figure 6
    ClientStep{ClientState::kTrying,     ClientEvent::kProvisional,    ClientState::kProceeding, kPassResponse},
    ClientStep{ClientState::kTrying,     ClientEvent::kSuccess,        ClientState::kCompleted,  kPassResponse},
    ClientStep{ClientState::kTrying,     ClientEvent::kFailure,        ClientState::kCompleted,  kPassResponse},
    ClientStep{ClientState::kTrying,     ClientEvent::kRetransmitDue,  ClientState::kTrying,     kSendRequest},
    ClientStep{ClientState::kTrying,     ClientEvent::kTimeOut,        ClientState::kTerminated, kTellTimeOut},
    ClientStep{ClientState::kTrying,     ClientEvent::kTransportError, ClientState::kTerminated, kTellTransportError},
    ClientStep{ClientState::kProceeding, ClientEvent::kProvisional,    ClientState::kProceeding, kPassResponse},
    ClientStep{ClientState::kProceeding, ClientEvent::kSuccess,        ClientState::kCompleted,  kPassResponse},
    ClientStep{ClientState::kProceeding, ClientEvent::kFailure,        ClientState::kCompleted,  kPassResponse},
    ClientStep{ClientState::kProceeding, ClientEvent::kRetransmitDue,  ClientState::kProceeding, kSendRequest},
    ClientStep{ClientState::kProceeding, ClientEvent::kTimeOut,        ClientState::kTerminated, kTellTimeOut},
    ClientStep{ClientState::kProceeding, ClientEvent::kTransportError, ClientState::kTerminated, kTellTransportError},
    ClientStep{ClientState::kCompleted,  ClientEvent::kLingerOver,     ClientState::kTerminated, kClientNothing},
};
inline constexpr std::array kInviteClientSteps = {  // figure 5 as RFC 6026 §8.4 changed it
    ClientStep{ClientState::kTrying,     ClientEvent::kProvisional,    ClientState::kProceeding, kPassResponse},
    ClientStep{ClientState::kTrying,     ClientEvent::kSuccess,        ClientState::kAccepted,   kPassResponse},
    ClientStep{ClientState::kTrying,     ClientEvent::kFailure,        ClientState::kCompleted,  kSendAck | kPassResponse},
    ClientStep{ClientState::kTrying,     ClientEvent::kRetransmitDue,  ClientState::kTrying,     kSendRequest},
    ClientStep{ClientState::kTrying,     ClientEvent::kTimeOut,        ClientState::kTerminated, kTellTimeOut},
    ClientStep{ClientState::kTrying,     ClientEvent::kTransportError, ClientState::kTerminated, kTellTransportError},
    ClientStep{ClientState::kProceeding, ClientEvent::kProvisional,    ClientState::kProceeding, kPassResponse},
    ClientStep{ClientState::kProceeding, ClientEvent::kSuccess,        ClientState::kAccepted,   kPassResponse},
    ClientStep{ClientState::kProceeding, ClientEvent::kFailure,        ClientState::kCompleted,  kSendAck | kPassResponse},
    ClientStep{ClientState::kProceeding, ClientEvent::kTransportError, ClientState::kTerminated, kTellTransportError},
    ClientStep{ClientState::kAccepted,   ClientEvent::kSuccess,        ClientState::kAccepted,   kPassResponse},
    ClientStep{ClientState::kAccepted,   ClientEvent::kLingerOver,     ClientState::kTerminated, kClientNothing},
    ClientStep{ClientState::kCompleted,  ClientEvent::kFailure,        ClientState::kCompleted,  kSendAck},
    ClientStep{ClientState::kCompleted,  ClientEvent::kTransportError, ClientState::kTerminated, kTellTransportError},
    ClientStep{ClientState::kCompleted,  ClientEvent::kLingerOver,     ClientState::kTerminated, kClientNothing},
};
// clang-format on

class ClientTransaction {
 public:
  // The request was just sent for the first time.
  ClientTransaction(TransactionKind kind, TransactionTimes times, TimePoint now);

  // Takes an event; gives ClientAction bits. An event that the state has no row for changes
  // nothing.
  std::uint8_t On(ClientEvent event, TimePoint now);
  // Takes what the clock brings; call it at NextDeadline.
  std::uint8_t OnTime(TimePoint now);
  [[nodiscard]] TimePoint NextDeadline() const;
  [[nodiscard]] ClientState state() const { return state_; }

 private:
  void Enter(ClientState state, TimePoint now);
  void SetNextRetransmit(TimePoint now);

  TransactionKind kind_;
  TransactionTimes times_;
  ClientState state_ = ClientState::kTrying;
  milliseconds interval_;
  TimePoint retransmit_at_ = kNever;
  TimePoint time_out_at_ = kNever;
  TimePoint linger_until_ = kNever;
};

}  // namespace gatehouse
