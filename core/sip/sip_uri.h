// A SIP or SIPS URI taken apart. The parts are views into the text given; nothing is unescaped.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse {

struct SipUri {
  std::string_view scheme;    // "sip" or "sips", as written
  std::string_view user;      // without password, still %-escaped; empty: none
  std::string_view password;  // still escaped
  std::string_view host;      // as written; an IPv6 reference with its brackets
  std::uint16_t port = 0;     // 0: none
  std::string_view params;    // ";transport=tcp;lr" or empty
  std::string_view headers;   // "Subject=x&y=z" without the question mark, or empty
  bool secure = false;        // sips

  // Takes the text of one URI without angle brackets. nullopt: another scheme, an empty host, white
  // space, control characters, a bad escape, or a port above 65535. RFC 3261 §19.1.1, §25.1
  static std::optional<SipUri> Parse(std::string_view text);
  // Value of a URI parameter, name compared without case; "" for one without value. nullopt:
  // absent.
  [[nodiscard]] std::optional<std::string_view> Param(std::string_view name) const;
};

}  // namespace gatehouse
