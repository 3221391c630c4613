#include "plugins/sip_translator/subscription_dialog.h"

#include <array>
#include <utility>

#include "core/sip/sip_refusal.h"
#include "plugins/sip_translator/transaction_ids.h"

namespace gatehouse::translator {
namespace {

// None of the three can hold a line end.
std::string Key(std::string_view call_id, std::string_view local, std::string_view remote) {
  std::string key(call_id);
  key.append("\n").append(local).append("\n").append(remote);
  return key;
}

}  // namespace

SubscriptionDialog::SubscriptionDialog(const SipMessage& subscribe, SubscribeRequest request,
                                       std::string contact)
    : request_(std::move(request)),
      contact_(std::move(contact)),
      call_id_(subscribe.call_id()),
      local_uri_(subscribe.to().uri),
      local_tag_(StatelessTag(subscribe.vias().front().text, subscribe.call_id())),
      remote_uri_(subscribe.from().uri),
      remote_tag_(subscribe.from().tag),
      remote_cseq_(subscribe.cseq().number),
      key_(Key(call_id_, local_tag_, remote_tag_)) {}

std::string SubscriptionDialog::KeyOf(const SipMessage& in_dialog) {
  return Key(in_dialog.call_id(), in_dialog.to().tag, in_dialog.from().tag);
}

bool SubscriptionDialog::Refresh(const SipMessage& subscribe, const SubscribeRequest& request) {
  if (subscribe.cseq().number <= remote_cseq_) return false;
  remote_cseq_ = subscribe.cseq().number;
  request_.expires_s = request.expires_s;
  request_.target = request.target;
  return true;
}

SipOutgoing SubscriptionDialog::Notify(std::string_view state, std::string_view body) {
  std::string route;
  for (const std::string& uri : request_.routes) {
    if (!route.empty()) route += ", ";
    route += '<' + uri + '>';
  }
  const std::string contact = '<' + contact_ + '>';
  const std::array<SipHeaderField, 4> headers = {{{"Route", route},
                                                  {"Contact", contact},
                                                  {"Event", request_.event},
                                                  {"Subscription-State", state}}};
  return SipOutgoing({.method = "NOTIFY",
                      .request_uri = request_.target,
                      .from_uri = local_uri_,
                      .from_tag = local_tag_,
                      .to_uri = remote_uri_,
                      .to_tag = remote_tag_,
                      .call_id = call_id_,
                      .cseq = ++local_cseq_,
                      .branch = FreshIds().branch,
                      .headers = headers,
                      .content_type = body.empty() ? "" : "application/pidf+xml",
                      .body = body,
                      .next_hop = next_hop()});
}

}  // namespace gatehouse::translator
