// Private keys of our own certificates, as PEM texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

enum class KeyType : std::uint8_t { kRsa2048, kRsa3072, kRsa4096, kP256, kP384 };

// "rsa-2048", "p-256": as an operator writes them.
[[nodiscard]] std::string_view WordOf(KeyType type);
[[nodiscard]] std::optional<KeyType> KeyTypeOf(std::string_view word);

// A new key: PEM, PKCS #8, without a passphrase.
Result<std::string> MakePrivateKey(KeyType type);
// SHA-256 over the SubjectPublicKeyInfo of the key: 32 octets, not hex. The same as of the request
// and of the certificate it belongs to.
//   fails  kConfig: no PEM private key without a passphrase
Result<std::string> PublicKeyHash(const std::string& private_key_pem);
// The word for its type; those that no KeyType is for as well: "rsa-1024", "p-521", "ed25519".
Result<std::string> KeyTypeWord(const std::string& private_key_pem);

}  // namespace gatehouse
