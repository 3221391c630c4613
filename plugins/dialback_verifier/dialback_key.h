// Dialback keys. XEP-0185, 2.8.2. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse {

// Domains in prepared form, so that making and judging agree whatever the case on the wire.
struct DialbackContext {
  std::string_view receiving;    // the server the stream goes to
  std::string_view originating;  // the server that opened it
  std::string_view stream_id;    // of the response header in force
};

// The HMAC key K: lower-case hex of SHA-256(secret), not the raw digest.
[[nodiscard]] std::string DialbackHmacKey(std::string_view secret);
// The key: 64 lower-case hex characters.
[[nodiscard]] std::string MakeDialbackKey(std::string_view hmac_key,
                                          const DialbackContext& context);
// Whether `text` can be a key at all: 1 to 256 printable ASCII octets (2.8.1).
[[nodiscard]] bool IsPlausibleKey(std::string_view text);
// Without XML white space at both ends. XEP-0185 §3
[[nodiscard]] std::string_view StripKey(std::string_view text);
// Whether `id` can name a stream: an NMTOKEN of at most 256 octets (2.8.4).
[[nodiscard]] bool IsPlausibleStreamId(std::string_view id);

}  // namespace gatehouse
