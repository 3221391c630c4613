// Private keys at rest: sealed with a key of this machine, which lies in a file beside the store.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

class KeySeal {
 public:
  // Reads the 32 octets in `file`.
  //   fails  kTrouble: is not there, or cannot be read; kConfig: not 32 octets, or others than its
  //          owner may read it
  static Result<KeySeal> Read(const std::string& file);
  // The same, but makes them where there is no such file (0600, on the disk before it returns).
  static Result<KeySeal> Open(const std::string& file);
  KeySeal(const KeySeal&) = delete;
  KeySeal& operator=(const KeySeal&) = delete;
  KeySeal(KeySeal&&) = default;
  KeySeal& operator=(KeySeal&&) = default;
  ~KeySeal();

  // AES-256-GCM with a random nonce. `bound_to`: where it belongs, such as the record's name; it
  // can be unsealed for the same only.
  Result<std::string> Seal(std::string_view plain, std::string_view bound_to) const;
  //   fails  kTrouble: not sealed with this key, for something else, or damaged
  Result<std::string> Unseal(std::string_view sealed, std::string_view bound_to) const;

 private:
  explicit KeySeal(std::string key) : key_(std::move(key)) {}

  std::string key_;
};

}  // namespace gatehouse
