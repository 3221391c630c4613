// From the listeners' offers to SIP: check, decide, map, send, settle (1.5). The one place that
// says what becomes of a stanza from a partner.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/message_arena.h"
#include "plugins/sip_translator/late_errors.h"
#include "plugins/sip_translator/message_guard.h"
#include "plugins/sip_translator/message_queue.h"
#include "plugins/sip_translator/page_mode.h"
#include "plugins/sip_translator/result_counters.h"
#include "plugins/sip_translator/stanza_replies.h"

namespace gatehouse::translator {

class XmppToSip {
 public:
  // `instance` sent what it must not: a stanza outside its pair or beyond the limits.
  using OnMalformed = std::function<void(std::string_view instance, std::string_view what)>;
  // Those who watch contacts (9.3). Both give false where nobody watches this one.
  struct Watchers {
    std::function<bool(const StanzaAddresses&)> watch;
    std::function<bool(const proto::Element& presence, const StanzaAddresses&)> take;
  };
  XmppToSip(FlowContext& context, OnMalformed malformed, Watchers watchers = {});
  ~XmppToSip();
  XmppToSip(const XmppToSip&) = delete;
  XmppToSip& operator=(const XmppToSip&) = delete;

  // Every offer is settled in the end: delivered after a 2xx or when there is nothing to do, failed
  // after the error that tells its sender is out. Before the first snapshot, and while draining,
  // offers are held; so are those of a pair whose contact's state is being asked for.
  void OnOffer(const ipc::Received& offer, ipc::Ticket ticket);
  void OnSnapshot();  // takes what was held
  void Tick();        // once a second
  void Drain() { draining_ = true; }
  // Forgets everything it holds without settling: it stays the senders', who offer it again to our
  // next life.
  void LeaveToNextLife();
  // Offers begun and not yet settled.
  [[nodiscard]] std::size_t under_way() const {
    return queue_.size() + replies_.under_way() + awaiting_.size();
  }

 private:
  struct Held {
    std::string instance, body;
    std::uint64_t sender_epoch = 0, seq = 0;
    std::uint32_t attempt = 1;
    Deadline expires;
    ipc::Ticket ticket;
    [[nodiscard]] ipc::Received offer() const {
      return {instance, sender_epoch, seq, attempt, expires, body};
    }
  };
  // One offer on its way through the decisions.
  struct Incoming {
    const ipc::Received& offer;
    const proto::InboundStanza& inbound;
    const proto::Element& stanza;
    StanzaAddresses addresses;
    ipc::Ticket ticket;
    TrafficKind kind;
  };

  static Held Keep(const ipc::Received& offer, ipc::Ticket ticket);
  void Take(const ipc::Received& offer, ipc::Ticket ticket);
  Verdict Judge(const Incoming& incoming);
  void Await(Incoming incoming);
  void OnAwaited(std::uint64_t number, bool known);
  void Expire(Incoming incoming);
  void Refuse(Incoming incoming, const Verdict& verdict);
  void SayUnsubscribed(Incoming incoming, FlowResult counted);
  bool IsAwaited(const Incoming& incoming) const;
  void OnPresence(Incoming incoming);
  void OnMessage(Incoming incoming);
  void OnIq(Incoming incoming);
  void Explain(const Incoming& incoming, proto::Element& error);
  void Deliver(Incoming incoming, const PageContent& content);
  bool IsWanted(const Incoming& incoming, std::string_view type) const;
  void Ignore(Incoming incoming, FlowResult result = FlowResult::kIgnored);
  void ReplyWithError(const StanzaHead& head, ipc::Ticket ticket, SipResult result,
                      FlowResult counted);
  void LogRefusal(const StanzaAddresses& addresses, std::string_view told, const SipResult& result);
  void OnDone(QueuedMessage& message, const SipResult& result);
  void OnFailed(QueuedMessage& message, const SipResult& result);

  FlowContext& context_;
  OnMalformed malformed_;
  Watchers watchers_;
  ResultCounters stanzas_;
  ResultCounters messages_;
  StanzaReplies replies_;
  LateErrors late_errors_;
  MessageQueue queue_;
  RecentSet seen_;
  FloodGuard flood_;
  MessageArena arena_;
  std::vector<Held> held_;
  std::unordered_map<std::uint64_t, Held> awaiting_;  // by a number of our own
  std::uint64_t last_awaiting_ = 0;
  bool draining_ = false;
};

}  // namespace gatehouse::translator
