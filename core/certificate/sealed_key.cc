#include "core/certificate/sealed_key.h"

#include <fcntl.h>
#include <openssl/aead.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/loop/owned_fd.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr char kForm = 1;  // the first octet of what is sealed: form, nonce, ciphertext, tag

const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

std::unexpected<Error> Failed(const std::string& file, const char* what, int error) {
  return Trouble("key file '" + file + "' cannot be " + what + ": " + std::strerror(error));
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

// A name in a folder is on the disk when the folder is.
bool SyncFolderOf(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const OwnedFd fd(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && ::fsync(fd.get()) == 0;
}

// Never half a key under its name: it is written beside it, and then named, unless somebody else
// was faster.
Result<void> Make(const std::string& file) {
  const std::string fresh = file + "." + RandomHex(8);
  const OwnedFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return Failed(file, "made", errno);
  std::string key = RandomBytes(kKeyBytes);
  bool made = WriteAll(fd.get(), key) && ::fsync(fd.get()) == 0;
  OPENSSL_cleanse(key.data(), key.size());
  made = made && (::link(fresh.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(fresh.c_str());
  if (!made) return Failed(file, "made", error);
  if (!SyncFolderOf(file)) return Failed(file, "made", errno);
  return {};
}

Result<void> CheckOwner(const std::string& file, int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return Failed(file, "read", errno);
  if (!S_ISREG(info.st_mode)) return BadConfig("key file '" + file + "' is no regular file");
  if ((info.st_mode & 077U) != 0)
    return BadConfig("key file '" + file + "' can be used by others than its owner; chmod 600 it");
  if (info.st_size != static_cast<off_t>(kKeyBytes))
    return BadConfig("key file '" + file + "' has not " + std::to_string(kKeyBytes) +
                     " octets; bring it back from a backup, without it the stored keys are lost");
  return {};
}

bool Begin(EVP_AEAD_CTX* context, std::string_view key) {
  ERR_clear_error();
  return EVP_AEAD_CTX_init(context, EVP_aead_aes_256_gcm(), Bytes(key), key.size(), kTagBytes,
                           nullptr) == 1;
}

}  // namespace

Result<KeySeal> KeySeal::Open(const std::string& file) {
  if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT) GATEHOUSE_TRY_VOID(Make(file));
  return Read(file);
}

Result<KeySeal> KeySeal::Read(const std::string& file) {
  const OwnedFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT)
    return Trouble("key file '" + file +
                   "' is gone; bring it back from a backup, without it the stored keys are lost");
  if (!fd.valid()) return Failed(file, "read", errno);
  GATEHOUSE_TRY_VOID(CheckOwner(file, fd.get()));
  KeySeal seal(std::string(kKeyBytes, '\0'));
  const ssize_t got = ::pread(fd.get(), seal.key_.data(), kKeyBytes, 0);
  if (got != static_cast<ssize_t>(kKeyBytes)) return Failed(file, "read", got < 0 ? errno : EIO);
  return seal;
}

KeySeal::~KeySeal() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

Result<std::string> KeySeal::Seal(std::string_view plain, std::string_view bound_to) const {
  bssl::ScopedEVP_AEAD_CTX context;
  const std::string nonce = RandomBytes(kNonceBytes);
  std::string sealed = kForm + nonce;
  sealed.resize(sealed.size() + plain.size() + kTagBytes);
  std::size_t size = 0;
  const bool done =
      Begin(context.get(), key_) &&
      EVP_AEAD_CTX_seal(context.get(), Bytes(sealed) + 1 + kNonceBytes, &size,
                        plain.size() + kTagBytes, Bytes(nonce), kNonceBytes, Bytes(plain),
                        plain.size(), Bytes(bound_to), bound_to.size()) == 1;
  if (!done) return Trouble("a private key cannot be sealed");
  return sealed;
}

Result<std::string> KeySeal::Unseal(std::string_view sealed, std::string_view bound_to) const {
  const auto foreign = Trouble(
      "a stored private key cannot be opened: it is damaged, or was sealed with another key file; "
      "bring the key file of this store back");
  if (sealed.size() < 1 + kNonceBytes + kTagBytes || sealed.front() != kForm) return foreign;
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  const std::string_view box = sealed.substr(1 + kNonceBytes);
  bssl::ScopedEVP_AEAD_CTX context;
  std::string plain(box.size(), '\0');
  std::size_t size = 0;
  const bool done =
      Begin(context.get(), key_) &&
      EVP_AEAD_CTX_open(context.get(), Bytes(plain), &size, plain.size(), Bytes(nonce), kNonceBytes,
                        Bytes(box), box.size(), Bytes(bound_to), bound_to.size()) == 1;
  ERR_clear_error();
  if (!done) return foreign;
  plain.resize(size);
  return plain;
}

}  // namespace gatehouse
