// Our requests: routed, sent, retransmitted, failed over, and answered once. RFC 3261 §17.1, RFC
// 3263 §4.3
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "plugins/sip_translator/client_transaction.h"
#include "plugins/sip_translator/sip_endpoint.h"
#include "plugins/sip_translator/sip_resolver.h"
#include "plugins/sip_translator/sip_transport.h"
#include "plugins/sip_translator/timer_wheel.h"

namespace gatehouse {

// Pending SIP transactions of one kind (12.5).
inline constexpr std::size_t kMaxPendingTransactions = 10000;

class ClientRequests {
 public:
  using OnFinal = SipEndpoint::OnFinal;
  // The references outlive this object.
  ClientRequests(Loop& loop, Metrics& metrics, SipTransportLayer& transport, SipResolver& resolver,
                 TimerWheel& wheel, TransactionTimes times);
  ~ClientRequests();
  ClientRequests(const ClientRequests&) = delete;
  ClientRequests& operator=(const ClientRequests&) = delete;

  // As SipEndpoint::SendRequest. A branch that is under way is not sent again: `done` takes the
  // older one's place.
  Result<void, SipSendRefusal> Send(SipOutgoing request, OnFinal done);
  // A response; unmatched ones are dropped (12.3 S19).
  void OnResponse(const SipMessage& response);
  void OnConnectionGone(SipConnectionId connection, SipFailure failure, bool never_sent,
                        TimePoint last_received);
  [[nodiscard]] bool AwaitsAnswerOn(SipConnectionId connection) const;
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  struct Route {
    std::vector<SipTarget> targets;     // at most kMaxTargets
    std::vector<TimePoint> down_until;  // by target: it timed out, refused or could not be reached
    TimePoint fresh_until;
    bool resolving = false;
    std::vector<std::string> waiting;  // branches
    void Take(std::vector<SipTarget> fresh);
    std::size_t users = 0;  // pending requests that point here
  };
  class Pending;

  Route* RouteOf(const std::string& next_hop);
  void StartResolving(const std::string& uri, Route& route);
  void ForgetRoutes();
  void OnResolved(const std::string& uri, Result<std::vector<SipTarget>, SipFailure> targets);
  void Attempt(Pending& pending);
  std::optional<std::size_t> NextTarget(const Pending& pending) const;
  // Where a large datagram has to become a stream, the target is written to `changed`.
  [[nodiscard]] const SipTarget& TargetFor(const Pending& pending, std::size_t index,
                                           SipTarget& changed) const;
  void WriteVia(SipOutgoing& request, SipTransport transport, std::string_view branch) const;
  void Rename(Pending& pending, std::string branch);
  void Resend(Pending& pending);
  void Act(Pending& pending, std::uint8_t actions);
  void MarkDown(const Pending& pending);
  bool FailOver(Pending& pending);
  void Finish(Pending& pending, const SipFinal& final);
  void FailLater(Pending& pending, SipFailure failure);
  void RunFailed();
  void Erase(Pending& pending);

  Loop& loop_;
  SipTransportLayer& transport_;
  SipResolver& resolver_;
  TimerWheel& wheel_;
  TransactionTimes times_;
  std::unordered_map<std::string, Route> routes_;                             // by URI
  std::unordered_map<std::string_view, std::unique_ptr<Pending>> by_branch_;  // the key is its own
  std::size_t in_flight_ = 0;
  std::vector<std::pair<std::string, SipFailure>> failed_;  // to be told at the end of the turn
  EndOfTurn tell_failed_;
  double& sent_total_;
  double& retransmitted_total_;
  double& unmatched_total_;
};

}  // namespace gatehouse
