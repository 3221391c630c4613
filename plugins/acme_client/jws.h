// What ACME signs (RFC 7515, RFC 7517, RFC 7638; RFC 8555 §6.2, §7.3.4, §8.1). Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/tls/es256_key.h"

namespace gatehouse::acme {

// The text in quotes, escaped.
[[nodiscard]] std::string JsonQuoted(std::string_view text);

// The public key, its members in the order that its thumbprint needs.
[[nodiscard]] std::string JwkOf(const Es256Key& key);
// RFC 7638: base64url of SHA-256 over JwkOf.
[[nodiscard]] std::string ThumbprintOf(const Es256Key& key);

// How a request names its account: by its URL, or before there is one by the key itself.
struct RequestHead {
  std::string_view account_url;  // empty: by the key
  std::string_view nonce;
  std::string_view url;
};
// The body of a request: flattened JSON. An empty `payload` is POST-as-GET.
[[nodiscard]] std::string SignedRequest(const Es256Key& key, const RequestHead& head,
                                        std::string_view payload);

// An account that the CA knows already. RFC 8555 §7.3.4
struct ExternalAccount {
  std::string key_id;
  std::string key;  // raw octets
};
// The member externalAccountBinding: our key, signed with theirs by HS256.
[[nodiscard]] std::string ExternalBinding(const ExternalAccount& account, const Es256Key& key,
                                          std::string_view new_account_url);

// What the CA wants to find. `token` is the CA's and was checked by IsToken.
[[nodiscard]] std::string KeyAuthorization(const Es256Key& key, std::string_view token);
// Of the TXT record at _acme-challenge (§8.4): 43 characters.
[[nodiscard]] std::string DnsValue(std::string_view key_authorization);
// base64url, 1 to 256 octets: nothing else becomes part of a path.
[[nodiscard]] bool IsToken(std::string_view token);

}  // namespace gatehouse::acme
