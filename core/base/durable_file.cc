#include "core/base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/loop/owned_fd.h"

namespace gatehouse {
namespace {

std::unexpected<Error> NotWritten(const std::string& path) {
  return Trouble(path + ": cannot be written: " + std::strerror(errno));
}

}  // namespace

Result<void> ReplaceFile(const std::string& file, std::string_view content) {
  const std::string fresh = file + ".new";
  ::unlink(fresh.c_str());
  {
    const OwnedFd to(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to.valid()) return NotWritten(fresh);
    const ssize_t count = ::write(to.get(), content.data(), content.size());
    if (count != static_cast<ssize_t>(content.size()) || ::fsync(to.get()) != 0)
      return NotWritten(fresh);
  }
  if (std::rename(fresh.c_str(), file.c_str()) != 0) return NotWritten(file);
  const std::string folder = file.substr(0, file.rfind('/'));
  const OwnedFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid() || ::fsync(dir.get()) != 0) return NotWritten(folder);
  return {};
}

}  // namespace gatehouse
