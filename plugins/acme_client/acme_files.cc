#include "plugins/acme_client/acme_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/address/ascii.h"
#include "core/base/durable_file.h"
#include "core/certificate/private_key.h"
#include "core/loop/owned_fd.h"
#include "core/tls/crypto.h"
#include "core/tls/own_certificate.h"

namespace gatehouse::acme {
namespace {

constexpr std::size_t kMaxFileBytes = 65536;

std::unexpected<Error> CannotDo(const std::string& path, const char* what) {
  return Trouble(fmt::format("{}: cannot be {}: {}", path, what, std::strerror(errno)));
}

enum class Readers { kAnybody, kOwner };

// nullopt where there is no such file.
Result<std::optional<std::string>> Content(const std::string& path, Readers readers) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return std::nullopt;
  struct stat found{};
  if (!file.valid() || ::fstat(file.get(), &found) != 0) return CannotDo(path, "read");
  if (readers == Readers::kOwner && (found.st_mode & 077) != 0)
    return BadConfig(path + ": others than its owner may read it; chmod 600 it");
  std::string content;
  std::array<char, 4096> part{};
  while (content.size() <= kMaxFileBytes) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0) return CannotDo(path, "read");
    if (got == 0) return content;
    content.append(part.data(), static_cast<std::size_t>(got));
  }
  return BadConfig(path + ": is too large; delete it");
}

}  // namespace

Result<Es256Key> OpenAccountKey(const std::string& path) {
  GATEHOUSE_TRY(std::optional<std::string> pem, Content(path, Readers::kOwner));
  if (!pem) {
    GATEHOUSE_TRY(pem, MakePrivateKey(KeyType::kP256));
    GATEHOUSE_TRY_VOID(ReplaceFile(path, *pem));
  }
  auto key = Es256Key::Parse(*pem);
  Wipe(*pem);
  if (!key)
    return BadConfig(
        fmt::format("{}: {}; restore it, or delete it for a new account", path, key.error().text));
  return key;
}

Result<proto::AcmeMemory> ReadMemory(const std::string& path) {
  GATEHOUSE_TRY(const std::optional<std::string> text, Content(path, Readers::kAnybody));
  proto::AcmeMemory memory;
  if (!text) return memory;
  google::protobuf::TextFormat::Parser parser;
  parser.AllowUnknownField(true);  // of a later version
  if (parser.ParseFromString(*text, &memory)) return memory;
  return BadConfig(path + ": damaged; restore it, or delete it");
}

Result<void> WriteMemory(const std::string& path, const proto::AcmeMemory& memory) {
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(memory, &text))
    return Trouble(path + ": cannot be written as text");
  return ReplaceFile(path, text);
}

Result<ExternalAccount> ReadExternalAccount(const std::string& key_id, const std::string& file) {
  GATEHOUSE_TRY(std::optional<std::string> text, Content(file, Readers::kOwner));
  if (!text) return Trouble(file + ": is not there");
  const auto key = DecodeBase64Url(ascii::Trim(*text));
  Wipe(*text);
  if (!key || key->empty()) return BadConfig(file + ": is no base64url key");
  return ExternalAccount{key_id, *key};
}

}  // namespace gatehouse::acme
