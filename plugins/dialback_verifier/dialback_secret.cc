#include "plugins/dialback_verifier/dialback_secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sstream>
#include <utility>

#include "core/loop/owned_fd.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

std::unexpected<Error> Failed(const std::string& path, const char* what) {
  return Trouble(path + ": cannot " + what + ": " + std::strerror(errno));
}

// Nothing where the file does not exist.
Result<std::optional<std::string>> ReadFile(const std::string& path) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  if (file.get() < 0) return Failed(path, "read");
  std::string content;
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count < 0) return Failed(path, "read");
    if (count == 0) return content;
    content.append(part.data(), static_cast<std::size_t>(count));
  }
}

// Whole or not at all, readable by us only.
Result<void> ReplaceFile(const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  {
    const OwnedFd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return Failed(fresh, "write");
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count != static_cast<ssize_t>(content.size()) || ::fsync(file.get()) != 0)
      return Failed(fresh, "write");
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return Failed(path, "write");
  return {};
}

}  // namespace

Result<DialbackSecret> DialbackSecret::Open(std::string path) {
  DialbackSecret secret;
  secret.path_ = std::move(path);
  GATEHOUSE_TRY(const auto content, ReadFile(secret.path_));
  if (content) {
    GATEHOUSE_TRY_VOID(secret.Read(*content));
    return secret;
  }
  secret.secret_ = RandomBytes(kSecretBytes);
  GATEHOUSE_TRY_VOID(secret.Write());
  return secret;
}

// "secret BASE64" and perhaps "previous BASE64 UNTIL", one a line.
Result<void> DialbackSecret::Read(std::string_view content) {
  const auto damaged = [this] {
    return BadConfig(path_ + ": damaged; restore it, or delete it for a new secret");
  };
  std::istringstream lines{std::string(content)};
  std::string word;
  while (lines >> word) {
    std::string encoded;
    const bool previous = word == "previous";
    if ((!previous && word != "secret") || !(lines >> encoded)) return damaged();
    if (previous && !(lines >> previous_until_)) return damaged();
    if (!DecodeBase64(encoded, previous ? previous_ : secret_)) return damaged();
  }
  if (secret_.empty()) return damaged();
  return {};
}

Result<void> DialbackSecret::Write() const {
  std::string content = "secret " + Base64(secret_) + "\n";
  if (!previous_.empty())
    content += "previous " + Base64(previous_) + " " + std::to_string(previous_until_) + "\n";
  return ReplaceFile(path_, content);
}

Result<void> DialbackSecret::Replace(std::string_view passphrase, std::int64_t now) {
  if (passphrase.empty()) return BadConfig("dialback passphrase: empty");
  if (passphrase == secret_) return {};  // the one before it stays valid as long as it was
  DialbackSecret next = *this;
  next.previous_ = std::exchange(next.secret_, std::string(passphrase));
  next.previous_until_ = now + kPreviousSecretSeconds;
  GATEHOUSE_TRY_VOID(next.Write());
  *this = std::move(next);
  return {};
}

std::string DialbackSecret::MakeKey(const DialbackContext& context) const {
  return MakeDialbackKey(DialbackHmacKey(secret_), context);
}

bool DialbackSecret::Judge(const DialbackContext& context, std::string_view key,
                           std::int64_t now) const {
  if (ConstantTimeEqual(MakeKey(context), key)) return true;
  if (previous_.empty() || now >= previous_until_) return false;
  return ConstantTimeEqual(MakeDialbackKey(DialbackHmacKey(previous_), context), key);
}

}  // namespace gatehouse
