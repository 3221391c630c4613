// A P-256 key that signs by ECDSA with SHA-256, as JWS has it (RFC 7518 §3.4).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

class Es256Key {
 public:
  // PEM, PKCS #8, without a passphrase; as MakePrivateKey(KeyType::kP256) gives it.
  //   fails  kConfig: it cannot be read, or is of another type
  static Result<Es256Key> Parse(const std::string& private_key_pem);
  ~Es256Key();
  Es256Key(Es256Key&&) noexcept;
  Es256Key& operator=(Es256Key&&) noexcept;

  // The public key: 32 octets each, big-endian.
  [[nodiscard]] std::string x() const;
  [[nodiscard]] std::string y() const;
  // R and S, 32 octets each. Differs each time.
  [[nodiscard]] std::string Sign(std::string_view message) const;
  [[nodiscard]] bool Verifies(std::string_view message, std::string_view signature) const;

 private:
  struct State;
  explicit Es256Key(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
