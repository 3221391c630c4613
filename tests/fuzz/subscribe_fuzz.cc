// A SUBSCRIBE as a peer may write it, and the NOTIFY that answers it, which must be a SIP message.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "core/sip/sip_message.h"
#include "plugins/sip_translator/subscription_dialog.h"

namespace gatehouse::translator {
namespace {

void Inspect(std::string_view bytes) {
  const auto message = SipMessage::Parse(bytes, false);
  if (!message || !message->is_request()) return;
  const auto request = ReadSubscribe(*message);
  if (!request) {
    GATEHOUSE_CHECK(request.error().status >= 400 && request.error().status < 500);
    return;
  }
  GATEHOUSE_CHECK(request->expires_s == 0 || request->expires_s >= kMinExpiresSeconds);
  GATEHOUSE_CHECK(request->expires_s <= kMaxExpiresSeconds);
  SubscriptionDialog dialog(*message, *request, "sip:bob@edge.example:5061");
  SipOutgoing notify = dialog.Notify("active;expires=60", "<presence/>");
  if (!notify.clean()) return;  // the endpoint does not send it
  notify.SetVia("TCP", "edge.example:5061", notify.branch(), ";alias");
  const auto read = SipMessage::Parse(notify.text(), true);
  GATEHOUSE_CHECK(read.has_value());
  GATEHOUSE_CHECK(read->method() == "NOTIFY");
  GATEHOUSE_CHECK(read->request_uri() == request->target);
  GATEHOUSE_CHECK(read->body() == "<presence/>");
  GATEHOUSE_CHECK(read->Header("Subscription-State") == "active;expires=60");
}

}  // namespace
}  // namespace gatehouse::translator

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gatehouse::translator::Inspect({reinterpret_cast<const char*>(data), size});
  return 0;
}
