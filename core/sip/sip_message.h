// One SIP message, read. The grammar of single headers is osipparser2's, on memory of our own;
// framing, limits and strictness are ours and come first (12.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

enum class SipTransport : std::uint8_t { kUdp, kTcp, kTls };
[[nodiscard]] std::string_view ViaName(SipTransport transport);  // "UDP", "TCP", "TLS"
// 5061 for TLS, 5060 for the others. RFC 3261 §19.1.2
[[nodiscard]] constexpr std::uint16_t DefaultPort(SipTransport transport) {
  return transport == SipTransport::kTls ? 5061 : 5060;
}

struct SipHeader {
  std::string_view name;   // as written; a compact form is spelled out ("f" is "From")
  std::string_view value;  // unfolded, trimmed
};

// From or To.
struct SipNameAddr {
  std::string_view display_name;  // without its quotes, escapes left as they are
  std::string_view uri;           // as written, without angle brackets; read it with SipUri::Parse
  std::string_view tag;           // empty: none
  std::string_view text;          // the whole value
};

struct SipVia {
  std::string_view transport;  // "UDP", as written
  std::string_view host;       // sent-by, an IPv6 reference without brackets
  std::uint16_t port = 0;      // 0: none written
  std::string_view branch;
  std::string_view received;  // empty: none
  std::uint16_t rport_value = 0;
  bool rport = false;     // present, with or without a value. RFC 3581
  bool alias = false;     // RFC 5923
  std::string_view text;  // the whole value, for echoing
};

struct SipCSeq {
  std::uint32_t number = 0;
  std::string_view method;
};

// Why a message is no message, and what answers it. Where `answerable` is false it can only be
// dropped.
struct SipRefusal {
  int status = 400;
  std::string_view reason = "Bad Request";  // static text
  bool answerable = false;                  // a request other than ACK, with a Via to send to
  std::string top_via;                      // the offending request's first Via value, as it came
  std::string echo;  // its other Vias, From, To (with a tag), Call-ID and CSeq: header lines, each
                     // with CRLF
};

// A complete, checked message; every view lives as long as it. Moves; does not copy.
class SipMessage {
 public:
  // Reads one whole message: start line to the end of the body, as SipFramer or a datagram gives
  // it.
  //   stream   true for TCP and TLS: Content-Length is mandatory and exact. A datagram may be
  //   longer than it says. fails    with the status of 12.3 S1-S17. For a response a refusal always
  //   means: drop. source   RFC 3261 §7, §8.2, §18.3, §25; RFC 4475
  static Result<SipMessage, SipRefusal> Parse(std::string_view bytes, bool stream);
  // The same in the memory of `old`, a message that nobody reads any more; none: new memory.
  static Result<SipMessage, SipRefusal> Parse(std::string_view bytes, bool stream,
                                              std::optional<SipMessage> old);
  SipMessage(SipMessage&&) noexcept;
  SipMessage& operator=(SipMessage&&) noexcept;
  ~SipMessage();

  [[nodiscard]] bool is_request() const;
  [[nodiscard]] std::string_view method() const;  // request: its method; response: that of CSeq
  [[nodiscard]] std::string_view request_uri() const;  // request only
  [[nodiscard]] int status() const;                    // response only, 100..699
  [[nodiscard]] std::string_view reason() const;       // response only, may be empty

  [[nodiscard]] const SipNameAddr& from() const;
  [[nodiscard]] const SipNameAddr& to() const;
  [[nodiscard]] std::string_view call_id() const;
  [[nodiscard]] const SipCSeq& cseq() const;
  [[nodiscard]] std::span<const SipVia> vias() const;   // top first, never empty
  [[nodiscard]] int max_forwards() const;               // 70 where there is none (11.7)
  [[nodiscard]] std::string_view content_type() const;  // "text/plain" in lower case; empty: none
  [[nodiscard]] std::string_view charset() const;       // as written, without quotes; empty: none
  [[nodiscard]] std::string_view content_language() const;
  [[nodiscard]] std::string_view subject() const;
  [[nodiscard]] std::string_view date() const;
  [[nodiscard]] std::optional<std::uint32_t> expires()
      const;  // clamped to 2^31-1; nullopt: none or not a number

  // First value of a header by its long name, without case; nullopt: absent.
  [[nodiscard]] std::optional<std::string_view> Header(std::string_view name) const;
  [[nodiscard]] std::span<const SipHeader> headers() const;  // in order
  [[nodiscard]] std::string_view body() const;               // any octets

 private:
  struct Fields;
  struct Parts;
  struct Reader;
  explicit SipMessage(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gatehouse
