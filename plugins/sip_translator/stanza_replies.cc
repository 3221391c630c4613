#include "plugins/sip_translator/stanza_replies.h"

#include <utility>

#include "core/base/log.h"
#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

// How long an error may wait for the stream back. The message itself is lost already; its sender
// should learn it while it still matters to him.
constexpr seconds kReplyLife{60};

proto::Element* MutableChild(proto::Element& parent, std::string_view name) {
  for (proto::Node& node : *parent.mutable_children())
    if (node.has_element() && node.element().name() == name) return node.mutable_element();
  return nullptr;
}

}  // namespace

StanzaHead HeadOf(const proto::Element& stanza, StanzaAddresses addresses) {
  StanzaHead head{MakeElement(stanza.name(), stanza.ns()), std::move(addresses)};
  *head.head.mutable_attributes() = stanza.attributes();
  return head;
}

proto::Element MakeError(const StanzaHead& to, const StanzaAnswer& answer, std::string_view text,
                         std::string_view address) {
  proto::Element reply =
      MakeErrorReply(to.head, answer.condition, text, ErrorTypeName(answer.type));
  proto::Element* error = MutableChild(reply, "error");
  GATEHOUSE_CHECK(error != nullptr);
  SetAttribute(*error, "by", to.addresses.to.domain);
  if (proto::Element* gone = MutableChild(*error, "gone"); gone != nullptr && !address.empty())
    AddText(*gone, address);
  return reply;
}

proto::Element MakeUnsubscribed(const proto::Element& presence, const StanzaAddresses& addresses) {
  proto::Element reply = MakeElement("presence", presence.ns());
  SetAttribute(reply, "from", addresses.to.Bare());
  SetAttribute(reply, "to", addresses.from.Bare());
  if (const std::string_view id = Attribute(presence, "id"); !id.empty())
    SetAttribute(reply, "id", id);
  SetAttribute(reply, "type", "unsubscribed");
  return reply;
}

void StanzaReplies::Send(const StanzaAddresses& addresses, proto::Element reply, ipc::Ticket ticket,
                         ipc::Outcome outcome) {
  const std::uint64_t id = ++next_;
  open_.emplace(id, Open{std::move(ticket), std::move(outcome)});
  proto::OutboundStanza out;
  out.set_local_domain(addresses.to.domain);
  out.set_remote_domain(addresses.from.domain);
  if (context_.policy) out.set_snapshot_hash(context_.policy->hash());
  *out.mutable_stanza() = std::move(reply);
  context_.listeners.Offer(out, context_.clock.Now() + kReplyLife,
                           [this, id](const ipc::Outcome& sent) {
                             auto open = open_.extract(id);
                             if (open.empty()) return;
                             if (sent.kind != ipc::OutcomeKind::kDelivered)
                               Log(LogLevel::kWarning, "reply-not-sent", {{"why", sent.text}});
                             open.mapped().ticket.Settle(open.mapped().outcome);
                           });
}

void StanzaReplies::Relay(const proto::OutboundStanza& own, Deadline expires, ipc::Ticket ticket) {
  const std::uint64_t id = ++next_;
  open_.emplace(id, Open{std::move(ticket), {}});
  context_.listeners.Offer(own, expires, [this, id](const ipc::Outcome& sent) {
    auto open = open_.extract(id);
    if (!open.empty()) open.mapped().ticket.Settle(sent);
  });
}

void StanzaReplies::AbandonAll() {
  for (auto& [id, open] : open_) open.ticket.Abandon();
  open_.clear();
}

}  // namespace gatehouse::translator
