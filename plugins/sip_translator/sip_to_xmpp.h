// From SIP MESSAGEs to the listeners: addresses, decide, map, offer, answer (1.6). The one place
// that says what becomes of a MESSAGE from a SIP user.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/message_arena.h"
#include "plugins/sip_translator/flow_context.h"
#include "plugins/sip_translator/hand_over.h"
#include "plugins/sip_translator/message_guard.h"
#include "plugins/sip_translator/page_mode.h"
#include "plugins/sip_translator/pair_name.h"
#include "plugins/sip_translator/result_counters.h"
#include "plugins/sip_translator/waiting_offers.h"

namespace gatehouse::translator {

class SipToXmpp {
 public:
  // A final answer must leave within 20 s of receipt (11.2); the endpoint says 504 then.
  static constexpr milliseconds kHandOverLimit{19500};

  explicit SipToXmpp(FlowContext& context);
  SipToXmpp(const SipToXmpp&) = delete;
  SipToXmpp& operator=(const SipToXmpp&) = delete;

  // How many requests may wait to hear what policy_engine knows of their contacts.
  static constexpr std::size_t kMaxAwaiting = 1024;

  // Answers exactly once, now or when the stanza's offer is settled: 200 when it was handed to a
  // verified stream, or when nothing in it crosses. An INVITE is refused.
  void OnRequest(const SipMessage& message, const SipReply& reply);
  // One message as if `from_uri` had sent it (gatehousectl test im); `done` gets the status and
  // why.
  using OnTested = std::function<void(const HandOverAnswer& answer)>;
  void Test(std::string_view from_uri, std::string_view to_uri, OnTested done);
  // No new work: requests stay paused from now on.
  void Drain();
  [[nodiscard]] std::size_t under_way() const { return askers_.size() + awaiting_.size(); }

 private:
  // Somebody who waits to hear what became of his message.
  struct Asker {
    std::optional<SipReply> reply;  // a SIP user agent
    OnTested tested;                // or gatehousectl
    PageAddresses addresses;
  };
  // A stanza that is made and waits for its verdict.
  struct Made {
    proto::OutboundStanza stanza;
    std::string text;  // as it came, for the guard against floods
    Deadline expires;
    Asker asker;
  };
  Result<PageAddresses, HandOverAnswer> Address(std::string_view from_uri, std::string_view to_uri);
  Verdict Judge(TrafficKind kind, const PageAddresses& addresses);
  Result<void, HandOverAnswer> Admit(const PageAddresses& addresses, const PairName& pair,
                                     std::string_view share_key, std::string_view body);
  Result<void, HandOverAnswer> FindRoom(const PageAddresses& addresses, std::string_view share_key);
  void Translate(const PageRequest& request, Asker asker);
  void Pass(proto::OutboundStanza& stanza, std::string_view text, Deadline expires, Asker asker);
  void Await(Made made);
  void OnAwaited(std::uint64_t number, bool known);
  HandOverAnswer Denied(TrafficKind kind, const PageAddresses& addresses, const Verdict& verdict);
  void Refuse(const Asker& asker, const HandOverAnswer& answer);
  void Offer(const proto::OutboundStanza& stanza, const std::string& share_key, Deadline expires,
             Asker asker);
  void OnSettled(std::uint64_t number, const ipc::Outcome& outcome);
  void Tell(const Asker& asker, const HandOverAnswer& answer);
  void LogRefusal(std::string_view from, std::string_view to, const HandOverAnswer& answer);
  void PauseUntilRoom(ipc::DataLink& link);

  FlowContext& context_;
  ResultCounters messages_;
  ResultCounters stanzas_;
  FloodGuard flood_;
  WaitingOffers waiting_;
  MessageArena arena_;
  std::unordered_map<std::uint64_t, Asker> askers_;  // of what is offered, by a number of our own
  std::uint64_t last_asker_ = 0;
  std::unordered_map<std::uint64_t, Made> awaiting_;  // by a number of our own
  std::uint64_t last_awaiting_ = 0;
  std::set<ipc::DataLink*> full_;  // links whose window we wait for; not empty: requests are paused
  bool draining_ = false;
};

}  // namespace gatehouse::translator
