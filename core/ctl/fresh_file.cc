#include "core/ctl/fresh_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace gatehouse::ctl {
namespace {

// 0, or why not.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return 0;
}

std::string NotWritten(const std::string& file, int error) {
  return fmt::format("'{}' cannot be written: {}", file, std::strerror(error));
}

}  // namespace

FreshFile::FreshFile(std::string file, mode_t mode)
    : file_(std::move(file)),
      fresh_(file_ + ".new"),
      fd_((::unlink(fresh_.c_str()),
           ::open(fresh_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode))),
      open_errno_(fd_.get() < 0 ? errno : 0) {}

FreshFile::~FreshFile() {
  ::unlink(fresh_.c_str());
}

Result<void> FreshFile::Write(std::string_view text) {
  if (open_errno_ != 0) return Failed(open_errno_);
  const int error = WriteAll(fd_.get(), text);
  return error == 0 ? Result<void>() : Failed(error);
}

Result<void> FreshFile::TakeItsPlace() {
  if (::fsync(fd_.get()) != 0 || std::rename(fresh_.c_str(), file_.c_str()) != 0)
    return Failed(errno);
  return {};
}

Result<void> FreshFile::Failed(int error) const {
  return Trouble(NotWritten(file_, error));
}

Result<KeyFile> KeyFile::Create(std::string file) {
  OwnedFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kPrivate));
  if (!fd.valid() && errno == EEXIST)
    return BadConfig(fmt::format(
        "'{}' is there already and may hold a key, so it is not written over; name another file",
        file));
  if (!fd.valid()) return Trouble(NotWritten(file, errno));
  return KeyFile(std::move(file), std::move(fd));
}

KeyFile::KeyFile(KeyFile&& other) noexcept
    : file_(std::exchange(other.file_, {})), fd_(std::move(other.fd_)) {}

KeyFile::~KeyFile() {
  if (!file_.empty()) ::unlink(file_.c_str());
}

Result<void> KeyFile::Write(std::string_view key) {
  int error = WriteAll(fd_.get(), key);
  if (error == 0 && ::fsync(fd_.get()) != 0) error = errno;
  if (error != 0) return Trouble(NotWritten(file_, error));
  return {};
}

Result<std::string> ReadFileHead(const std::string& file, std::size_t max_bytes) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return BadConfig(fmt::format("'{}' is a directory; name the files in it", file));
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return BadConfig(fmt::format("'{}' cannot be read: {}", file, std::strerror(errno)));
  std::string bytes(max_bytes, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

}  // namespace gatehouse::ctl
