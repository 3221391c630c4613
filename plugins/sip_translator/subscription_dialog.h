// A notification dialog with a SIP watcher: what its NOTIFYs are made of. RFC 3261 §12, RFC 6665
// §4.2. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/sip/sip_message.h"
#include "plugins/sip_translator/sip_outgoing.h"
#include "plugins/sip_translator/subscribe_request.h"

namespace gatehouse::translator {

class SubscriptionDialog {
 public:
  // `subscribe` begins it: a SUBSCRIBE without a To tag that is answered 200. `contact` is the URI
  // that brings the watcher's next requests to us.
  SubscriptionDialog(const SipMessage& subscribe, SubscribeRequest request, std::string contact);

  // Of any dialog, for who looks one up: Call-ID and both tags.
  [[nodiscard]] static std::string KeyOf(const SipMessage& in_dialog);
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const std::string& event() const { return request_.event; }
  [[nodiscard]] const std::string& contact() const { return contact_; }
  [[nodiscard]] std::uint32_t expires_s() const { return request_.expires_s; }
  [[nodiscard]] const std::string& watched_uri() const { return local_uri_; }
  // Where the next NOTIFY goes: a SIP URI.
  [[nodiscard]] const std::string& next_hop() const {
    return request_.routes.empty() ? request_.target : request_.routes.front();
  }

  // Takes a later SUBSCRIBE of the dialog: its Contact is where NOTIFYs go from now on.
  //   gives  false for one that comes out of order (RFC 3261 §12.2.2), which changes nothing
  bool Refresh(const SipMessage& subscribe, const SubscribeRequest& request);

  // The next NOTIFY. `state` is the value of Subscription-State; `body` a PIDF document or empty.
  [[nodiscard]] SipOutgoing Notify(std::string_view state, std::string_view body);

 private:
  SubscribeRequest request_;
  std::string contact_;
  std::string call_id_;
  std::string local_uri_, local_tag_;
  std::string remote_uri_, remote_tag_;
  std::uint32_t remote_cseq_;
  std::uint32_t local_cseq_ = 0;
  std::string key_;
};

}  // namespace gatehouse::translator
