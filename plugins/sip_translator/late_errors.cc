#include "plugins/sip_translator/late_errors.h"

#include <utility>

#include "core/address/sip_address.h"
#include "core/base/log.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/transaction_ids.h"

namespace gatehouse::translator {
namespace {

constexpr std::chrono::minutes kNoticeEvery{1};

// The defined condition of an error stanza; its own words are never shown.
std::string_view ConditionOf(const proto::Element& stanza) {
  const proto::Element* error = FindChild(stanza, "error", ns::kServer);
  if (error == nullptr) return "undefined-condition";
  for (const proto::Node& node : error->children())
    if (node.has_element() && node.element().ns() == ns::kStanzaErrors &&
        node.element().name() != "text")
      return ConditionName(ConditionFromName(node.element().name()));
  return "undefined-condition";
}

}  // namespace

LateErrors::LateErrors(FlowContext& context)
    : context_(context),
      told_(context.clock, kNoticeEvery),
      correlated_(context.metrics.Value("gatehouse_late_errors_total", "{result=\"correlated\"}")),
      unknown_(context.metrics.Value("gatehouse_late_errors_total", "{result=\"unknown\"}")) {}

void LateErrors::OnError(const proto::Element& stanza, const StanzaAddresses& addresses) {
  const std::string user = addresses.to.Bare();
  const std::string contact = addresses.from.Bare();
  if (!context_.sent.Take(Attribute(stanza, "id"), user, contact)) {
    unknown_ += 1;
    return;
  }
  correlated_ += 1;
  const std::string_view condition = ConditionOf(stanza);
  Log(LogLevel::kNotice, "late-error",
      {{"user", user}, {"contact", contact}, {"condition", condition}});
  if (told_.Add(KeyOf(user, contact))) Notify(addresses, condition);
}

void LateErrors::Notify(const StanzaAddresses& addresses, std::string_view reason) {
  const auto to = JidToSipUri(addresses.to, ResourceUse::kDrop);
  const auto from = JidToSipUri(addresses.from, ResourceUse::kDrop);
  const ServedDomain* domain = context_.served.Find(addresses.to.domain);
  if (!to || !from || domain == nullptr) return;
  const TransactionIds ids = FreshIds();
  const std::string uri = context_.spellings.Spell(addresses.to.Bare(), *to);
  const std::string body = "Your message could not be delivered: " + std::string(reason);
  const auto sent =
      context_.endpoint.SendRequest(SipOutgoing({.request_uri = uri,
                                                 .from_uri = *from,
                                                 .from_tag = ids.tag,
                                                 .to_uri = uri,
                                                 .call_id = ids.call_id,
                                                 .branch = ids.branch,
                                                 .content_type = "text/plain; charset=UTF-8",
                                                 .body = body,
                                                 .next_hop = domain->next_hop,
                                                 .max_bytes = domain->page_mode_max}),
                                    [](const SipFinal&) {});
  if (!sent) Log(LogLevel::kWarning, "late-error-notice-not-sent");
}

}  // namespace gatehouse::translator
