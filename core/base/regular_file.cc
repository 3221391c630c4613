#include "core/base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gatehouse {
namespace {

std::unexpected<Error> NotReadable() {
  return BadConfig(std::string("cannot be read: ") + std::strerror(errno));
}

Result<std::string> ReadOpenFile(int fd, std::size_t max_bytes) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return NotReadable();
  if (!S_ISREG(found.st_mode)) return BadConfig(kNoRegularFile);
  std::string text;
  while (text.size() < max_bytes) {
    constexpr std::size_t kPiece = 1 << 16;
    const std::size_t before = text.size();
    text.resize(before + std::min(kPiece, max_bytes - before));
    const ssize_t got = ::read(fd, text.data() + before, text.size() - before);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR) return NotReadable();
    if (got == 0) break;
  }
  return text;
}

}  // namespace

Result<std::string> ReadRegularFile(const std::string& file, std::size_t max_bytes) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return NotReadable();
  auto text = ReadOpenFile(fd, max_bytes);
  ::close(fd);
  return text;
}

}  // namespace gatehouse
