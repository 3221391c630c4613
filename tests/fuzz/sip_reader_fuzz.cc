// The SIP reader as a peer's bytes meet it: framed as a stream in odd pieces, and as one datagram.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "core/sip/sip_framer.h"
#include "core/sip/sip_message.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

void Inspect(std::string_view bytes, bool stream) {
  const auto message = SipMessage::Parse(bytes, stream);
  if (!message) {
    GATEHOUSE_CHECK(message.error().echo.find('\0') == std::string::npos ||
                    bytes.find('\0') != std::string_view::npos);
    return;
  }
  GATEHOUSE_CHECK(!message->vias().empty());
  GATEHOUSE_CHECK(message->body().size() <= bytes.size());
  GATEHOUSE_CHECK(message->call_id().find_first_of("\r\n") == std::string_view::npos);
  for (const SipHeader& header : message->headers())
    GATEHOUSE_CHECK(header.value.find_first_of("\r\n") == std::string_view::npos);
  static_cast<void>(SipUri::Parse(message->from().uri));
}

// Reads the bytes as a stream that arrives `step` octets at a time.
void ReadStream(std::string_view bytes, std::size_t step) {
  SipFramer framer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    framer.Add(bytes.substr(at, step));
    for (;;) {
      const auto frame = framer.Next();
      if (!frame) return;
      if (!*frame) break;
      if ((*frame)->kind == SipFramer::Kind::kMessage) Inspect((*frame)->bytes, true);
    }
    framer.Keep();
  }
}

}  // namespace
}  // namespace gatehouse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kOddStep = 7;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  gatehouse::Inspect(bytes, false);
  gatehouse::ReadStream(bytes, size + 1);
  gatehouse::ReadStream(bytes, kOddStep);
  return 0;
}
