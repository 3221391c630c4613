#include "core/supervisor/folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace gatehouse {
namespace {

std::unexpected<Error> BadFolder(std::string_view flag, std::string_view dir, std::string_view what,
                                 int code) {
  return BadConfig(
      fmt::format("{} {}: {}: {}; would be right: a folder that the user gatehoused "
                  "runs as may write",
                  flag, dir, what, std::strerror(code)));
}

bool Exists(const std::string& dir) {
  struct stat found{};
  return ::stat(dir.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

std::string FirstLineOf(int fd) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  const std::string_view all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return std::string(all.substr(0, all.find('\n')));
}

}  // namespace

Result<std::string> PrepareFolder(std::string_view flag, const std::string& dir) {
  std::error_code failed;
  std::string absolute = std::filesystem::absolute(dir, failed).lexically_normal().string();
  while (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  if (failed || dir.empty()) return BadFolder(flag, dir, "is no folder", ENOENT);
  if (!Exists(absolute) && ::mkdir(absolute.c_str(), 0700) != 0)
    return BadFolder(flag, absolute, "cannot be made", errno);
  if (::access(absolute.c_str(), R_OK | W_OK | X_OK) != 0)
    return BadFolder(flag, absolute, "cannot be written", errno);
  return absolute;
}

Result<void> PrepareLinkFolders(const RuntimePaths& paths, const proto::Topology& topology) {
  for (const proto::LinkKindSpec& link : topology.link()) {
    const std::string dir = paths.LinkDir(link.from(), link.to());
    if (!Exists(dir) && ::mkdir(dir.c_str(), 0700) != 0)
      return BadFolder("--runtime-dir", dir, "cannot be made", errno);
  }
  return {};
}

Result<OwnedFd> LockFolder(std::string_view flag, const std::string& dir) {
  const std::string file = dir + "/lock";
  OwnedFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return BadFolder(flag, file, "cannot be opened", errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return BadConfig(
        fmt::format("{} {}: another gatehoused runs on it (pid {}); would "
                    "be right: another folder, or stop that one first",
                    flag, dir, FirstLineOf(fd.get())));
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return BadFolder(flag, file, "cannot be written", errno);
  return fd;
}

}  // namespace gatehouse
