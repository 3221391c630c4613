#include "core/worker/lifeline.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "proto/link_control.pb.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxConfigBytes = 1024 * 1024 - sizeof(std::uint32_t);

Result<void> ReadExactly(int fd, char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(fd, into, size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Trouble(fmt::format("lifeline: {}", std::strerror(errno)));
    if (got == 0) return Trouble("lifeline: ended before the configuration");
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace

Result<void> SendWorkerConfig(int fd, const proto::WorkerConfig& config) {
  const std::string body = config.SerializeAsString();
  if (body.size() > kMaxConfigBytes)
    return BadConfig(fmt::format("the configuration of one worker takes {} bytes; at most {} fit",
                                 body.size(), kMaxConfigBytes));
  // Refused only above the system's limit; then the write below tells.
  static_cast<void>(::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(kMaxConfigBytes)));
  const auto size = static_cast<std::uint32_t>(body.size());
  std::string message(sizeof size, '\0');
  std::memcpy(message.data(), &size, sizeof size);
  message += body;
  const ssize_t written = ::write(fd, message.data(), message.size());
  if (written == static_cast<ssize_t>(message.size())) return {};
  return Trouble(fmt::format("lifeline: {} of {} bytes written", written, message.size()));
}

Result<proto::WorkerConfig> ReceiveWorkerConfig(int fd) {
  std::uint32_t size = 0;
  std::array<char, sizeof size> prefix{};
  GATEHOUSE_TRY_VOID(ReadExactly(fd, prefix.data(), prefix.size()));
  std::memcpy(&size, prefix.data(), sizeof size);
  if (size > kMaxConfigBytes) return Trouble("lifeline: not a configuration");
  std::string body(size, '\0');
  GATEHOUSE_TRY_VOID(ReadExactly(fd, body.data(), body.size()));
  proto::WorkerConfig config;
  if (!config.ParseFromString(body)) return Trouble("lifeline: not a configuration");
  return config;
}

}  // namespace gatehouse
