#include "plugins/dialback_verifier/dialback_key.h"

#include <algorithm>

#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::size_t kMaxStreamIdBytes = 256;

// NMTOKEN; octets above ASCII belong to characters of which nearly all are allowed. XML 1.0 §2.3
bool IsNameOctet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  const bool letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
  const bool digit = octet >= '0' && octet <= '9';
  return letter || digit || octet >= 0x80 || std::string_view("-._:").contains(c);
}

}  // namespace

std::string DialbackHmacKey(std::string_view secret) {
  return Hex(Sha256(secret));
}

std::string MakeDialbackKey(std::string_view hmac_key, const DialbackContext& context) {
  std::string message(context.receiving);
  message += ' ';
  message += context.originating;
  message += ' ';
  message += context.stream_id;
  return Hex(HmacSha256(hmac_key, message));
}

bool IsPlausibleKey(std::string_view text) {
  return !text.empty() && text.size() <= kMaxKeyBytes &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view StripKey(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool IsPlausibleStreamId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxStreamIdBytes && std::ranges::all_of(id, IsNameOctet);
}

}  // namespace gatehouse
