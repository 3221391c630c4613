#include "plugins/acme_client/jws.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/address/ascii.h"
#include "core/tls/crypto.h"

namespace gatehouse::acme {
namespace {

constexpr std::size_t kMaxTokenBytes = 256;

bool IsBase64Url(char c) {
  return ascii::IsAlphanumeric(c) || c == '-' || c == '_';
}

// {"protected": ..., "payload": ..., "signature": ...} with what `sign` makes of the first two.
template <class Sign>
std::string Flattened(std::string_view protected_head, std::string_view payload, Sign sign) {
  const std::string head = Base64Url(protected_head);
  const std::string body = Base64Url(payload);
  return fmt::format(R"({{"protected":"{}","payload":"{}","signature":"{}"}})", head, body,
                     Base64Url(sign(head + "." + body)));
}

}  // namespace

std::string JsonQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (quoted += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string JwkOf(const Es256Key& key) {
  return fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", Base64Url(key.x()),
                     Base64Url(key.y()));
}

std::string ThumbprintOf(const Es256Key& key) {
  return Base64Url(Sha256(JwkOf(key)));
}

std::string SignedRequest(const Es256Key& key, const RequestHead& head, std::string_view payload) {
  const std::string who = head.account_url.empty()
                              ? fmt::format(R"("jwk":{})", JwkOf(key))
                              : fmt::format(R"("kid":{})", JsonQuoted(head.account_url));
  const std::string protected_head = fmt::format(R"({{"alg":"ES256",{},"nonce":{},"url":{}}})", who,
                                                 JsonQuoted(head.nonce), JsonQuoted(head.url));
  return Flattened(protected_head, payload,
                   [&key](const std::string& input) { return key.Sign(input); });
}

std::string ExternalBinding(const ExternalAccount& account, const Es256Key& key,
                            std::string_view new_account_url) {
  const std::string protected_head =
      fmt::format(R"({{"alg":"HS256","kid":{},"url":{}}})", JsonQuoted(account.key_id),
                  JsonQuoted(new_account_url));
  return Flattened(protected_head, JwkOf(key),
                   [&account](const std::string& input) { return HmacSha256(account.key, input); });
}

std::string KeyAuthorization(const Es256Key& key, std::string_view token) {
  return fmt::format("{}.{}", token, ThumbprintOf(key));
}

std::string DnsValue(std::string_view key_authorization) {
  return Base64Url(Sha256(key_authorization));
}

bool IsToken(std::string_view token) {
  return !token.empty() && token.size() <= kMaxTokenBytes &&
         std::ranges::all_of(token, IsBase64Url);
}

}  // namespace gatehouse::acme
