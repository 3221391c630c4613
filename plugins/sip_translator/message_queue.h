// MESSAGEs on their way to SIP: one transaction in flight per (from, to) pair, the others in order
// behind it (RFC 6120 §10.1).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "core/policy/reasons.h"
#include "ipc/data_link.h"
#include "plugins/sip_translator/error_mapping.h"
#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse::translator {

struct QueuedMessage {
  std::string stanza;  // the serialised proto::InboundStanza, for the error its sender may get
  SipOutgoing request;
  ipc::Ticket ticket;
  Deadline expires;
  std::uint64_t repeat_key = 0;  // in the set of seen messages; 0: not there
};

// How one message ended.
struct SipResult {
  bool delivered = false;
  bool expired = false;           // it never left the queue
  int status = 0;                 // of the final response; 0: none
  StanzaAnswer answer = {};       // where not delivered
  std::string text = {};          // the reason phrase, cleaned; may be empty
  std::string address = {};       // "xmpp:..." of a 301's Contact
  std::string log = {};           // for the log only: Warning, ms-diagnostics, failure
  std::string id = {};            // of the record of it; empty: none yet
  Reason reason = Reason::kNone;  // where not delivered
};

// What is said of a request that got no answer; `failure` is not kNone.
[[nodiscard]] SipResult NoAnswer(SipFailure failure);

class MessageQueue {
 public:
  using OnDone = std::function<void(QueuedMessage&, const SipResult&)>;
  // `done` is called once per message, in order within a pair, and must not call Add. All
  // references outlive this object.
  MessageQueue(const Clock& clock, SipEndpoint& endpoint, OnDone done)
      : clock_(clock), endpoint_(endpoint), done_(std::move(done)) {}

  void Add(std::string pair, QueuedMessage message);
  void ExpireWaiting();  // ends what has waited behind others beyond its deadline
  [[nodiscard]] std::size_t size() const { return size_; }
  // Lets go of everything. No use after it but destruction.
  void AbandonAll();

 private:
  using Queue = std::list<QueuedMessage>;
  using Queues = std::unordered_map<std::string, Queue>;
  using Pair = Queues::value_type;  // stays where it is while the front is in flight
  void SendFront(Pair& pair);
  void OnFinal(Pair& pair, const SipFinal& final);
  // False when that was the pair's last.
  bool Finish(Pair& pair, const SipResult& result);

  const Clock& clock_;
  SipEndpoint& endpoint_;
  OnDone done_;
  std::size_t size_ = 0;
  Queues queues_;  // never an empty one; the front is in flight
  bool abandoned_ = false;
};

}  // namespace gatehouse::translator
