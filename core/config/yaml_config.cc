#include "core/config/yaml_config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/config/yaml_reader.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} * 1024 * 1024;

Result<std::string> ReadAll(int fd, const std::string& path) {
  std::string text;
  std::string chunk(64 * 1024, '\0');
  while (true) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return BadConfig(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    if (got == 0) return text;
    text.append(chunk, 0, static_cast<std::size_t>(got));
    if (text.size() > kMaxFileBytes)
      return BadConfig(fmt::format("{}: is larger than {} bytes", path, kMaxFileBytes));
  }
}

}  // namespace

Result<YamlConfig> YamlConfig::Parse(std::string_view text, std::string_view file) {
  YamlConfig into;
  into.file_ = file;
  GATEHOUSE_TRY_VOID(YamlReader(into).Read(text));
  return into;
}

Result<YamlConfig> YamlConfig::ReadFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return BadConfig(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  const Result<std::string> text = ReadAll(fd, path);
  ::close(fd);
  if (!text) return std::unexpected(text.error());
  return Parse(*text, path);
}

Error YamlConfig::At(std::string_view key, std::string_view what) const {
  int line = 1;
  for (std::string_view at = key; !at.empty();) {
    if (const auto known = lines_.find(at); known != lines_.end()) {
      line = known->second;
      break;
    }
    const std::size_t end = at.find_last_of(".[");
    at = end == std::string_view::npos ? std::string_view() : at.substr(0, end);
  }
  return Error{Fault::kConfig, fmt::format("{}:{}: key '{}': {}", file_, line, key, what)};
}

}  // namespace gatehouse
