// The dialback secret and the file that keeps it. Nobody but this worker ever sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "plugins/dialback_verifier/dialback_key.h"

namespace gatehouse {

// How long keys made with the secret before a change are still judged valid (2.8.2).
inline constexpr std::int64_t kPreviousSecretSeconds = 600;
inline constexpr std::size_t kSecretBytes = 32;
inline constexpr std::size_t kShortSecretBytes = 16;  // below: the operator is warned (1.4)

class DialbackSecret {
 public:
  // Reads `path`, or makes 32 random octets and writes them there, mode 0600. Fails naming the
  // file.
  static Result<DialbackSecret> Open(std::string path);

  // Replaces the secret by the operator's; written before it counts. The same one again changes
  // nothing. Fails for an empty one or when the file cannot be written: nothing has changed then.
  // `now` is Unix time in seconds.
  Result<void> Replace(std::string_view passphrase, std::int64_t now);

  [[nodiscard]] std::string MakeKey(const DialbackContext& context) const;
  // Whether `key` was made by the secret, or by the one before during its last ten minutes.
  // Constant time.
  [[nodiscard]] bool Judge(const DialbackContext& context, std::string_view key,
                           std::int64_t now) const;

 private:
  DialbackSecret() = default;
  Result<void> Read(std::string_view content);
  Result<void> Write() const;

  std::string path_;
  std::string secret_;
  std::string previous_;  // empty: none
  std::int64_t previous_until_ = 0;
};

}  // namespace gatehouse
