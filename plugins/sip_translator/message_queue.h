// MESSAGEs on their way to SIP: one transaction in flight per (from, to) pair, the others in order
// behind it (RFC 6120 §10.1).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "plugins/sip_translator/sip_endpoint.h"
#include "plugins/sip_translator/stanza_replies.h"

namespace gatehouse::translator {

struct QueuedMessage {
  StanzaHead head;
  SipRequest request;
  ipc::Ticket ticket;
  Deadline expires;
  std::uint64_t repeat_key = 0;  // in the set of seen messages; 0: not there
};

// How one message ended.
struct SipResult {
  bool delivered = false;
  bool expired = false;      // it never left the queue
  int status = 0;            // of the final response; 0: none
  StanzaAnswer answer = {};  // where not delivered
  std::string text = {};     // the reason phrase, cleaned; may be empty
  std::string address = {};  // "xmpp:..." of a 301's Contact
  std::string log = {};      // for the log only: Warning, ms-diagnostics, failure
};

class MessageQueue {
 public:
  using OnDone = std::function<void(QueuedMessage, const SipResult&)>;
  // `done` is called once per message, in order within a pair, and must not call Add. All
  // references outlive this object.
  MessageQueue(const Clock& clock, SipEndpoint& endpoint, OnDone done)
      : clock_(clock), endpoint_(endpoint), done_(std::move(done)) {}

  void Add(const std::string& pair, QueuedMessage message);
  void ExpireWaiting();  // ends what has waited behind others beyond its deadline
  [[nodiscard]] std::size_t size() const { return size_; }
  void AbandonAll();

 private:
  using Queue = std::deque<QueuedMessage>;
  void SendFront(const std::string& pair);
  void OnFinal(const std::string& pair, const SipFinal& final);
  void Finish(const std::string& pair, const SipResult& result);
  const Clock& clock_;
  SipEndpoint& endpoint_;
  OnDone done_;
  std::size_t size_ = 0;
  std::unordered_map<std::string, Queue> queues_;  // never an empty one; the front is in flight
};

}  // namespace gatehouse::translator
