#include "core/ctl/fresh_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/base/regular_file.h"

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

std::unexpected<Error> IsThereAlready(const std::string& file) {
  return BadConfig(fmt::format(
      "'{}' is there already and may hold a key, so it is not written over; name another file",
      file));
}

}  // namespace

FreshFile::FreshFile(std::string file, mode_t mode, Over over)
    : file_(std::move(file)),
      fresh_(file_ + ".new"),
      fd_((::unlink(fresh_.c_str()),
           ::open(fresh_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode))),
      open_errno_(fd_.get() < 0 ? errno : 0),
      over_(over) {}

FreshFile::~FreshFile() {
  ::unlink(fresh_.c_str());
}

Result<void> FreshFile::Write(std::string_view text) {
  if (open_errno_ != 0) return Failed(open_errno_);
  struct stat found{};
  if (over_ == Over::kNothing && ::lstat(file_.c_str(), &found) == 0) return IsThereAlready(file_);
  const int error = WriteAll(fd_.get(), text);
  return error == 0 ? Result<void>() : Failed(error);
}

Result<void> FreshFile::TakeItsPlace() {
  if (::fsync(fd_.get()) != 0) return Failed(errno);
  const int placed = over_ == Over::kTheOld ? std::rename(fresh_.c_str(), file_.c_str())
                                            : ::link(fresh_.c_str(), file_.c_str());
  if (placed == 0) return {};
  if (errno == EEXIST) return IsThereAlready(file_);
  return Failed(errno);
}

Result<void> FreshFile::Failed(int error) const {
  return Trouble(NotWritten(file_, error));
}

Result<KeyFile> KeyFile::Create(std::string file) {
  OwnedFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kPrivate));
  if (!fd.valid() && errno == EEXIST) return IsThereAlready(file);
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
  auto bytes = ReadRegularFile(file, max_bytes);
  if (!bytes) return BadConfig(fmt::format("'{}' {}", file, bytes.error().text));
  return bytes;
}

}  // namespace gatehouse::ctl
