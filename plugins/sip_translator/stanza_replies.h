// Sends what the edge itself says to a partner because of a stanza, and settles the stanza's offer
// when that is out.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "plugins/sip_translator/flow_context.h"
#include "plugins/sip_translator/stanza_check.h"

namespace gatehouse::translator {

// Whom an answer goes to and how it is made: enough of a stanza, without its payload.
struct StanzaHead {
  proto::Element head;  // name, namespace and attributes of the stanza
  StanzaAddresses addresses;
};
[[nodiscard]] StanzaHead HeadOf(const proto::Element& stanza, StanzaAddresses addresses);

// One <error/> as 7.2 wants it, by='our domain'. `address` fills <gone/> and may be empty, like
// `text`.
[[nodiscard]] proto::Element MakeError(const StanzaHead& to, const StanzaAnswer& answer,
                                       std::string_view text, std::string_view address = {});

// <presence type='unsubscribed'/> from the bare JID of our user to that of the contact, in answer
// to `presence`. RFC 6121 §3.2.2
[[nodiscard]] proto::Element MakeUnsubscribed(const proto::Element& presence,
                                              const StanzaAddresses& addresses);

class StanzaReplies {
 public:
  explicit StanzaReplies(FlowContext& context) : context_(context) {}
  // Offers `reply` on the pair's stream; when that is settled, however, `ticket` is settled with
  // `outcome`.
  void Send(const StanzaAddresses& addresses, proto::Element reply, ipc::Ticket ticket,
            ipc::Outcome outcome);
  // Offers a listener's own stanza to the owner of its pair, and settles `ticket` as that one does.
  void Relay(const proto::OutboundStanza& own, Deadline expires, ipc::Ticket ticket);
  [[nodiscard]] std::size_t under_way() const { return open_.size(); }
  void AbandonAll();

 private:
  struct Open {
    ipc::Ticket ticket;
    ipc::Outcome outcome;
  };
  FlowContext& context_;
  std::uint64_t next_ = 0;
  std::unordered_map<std::uint64_t, Open> open_;
};

}  // namespace gatehouse::translator
