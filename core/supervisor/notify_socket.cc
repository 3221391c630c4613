#include "core/supervisor/notify_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "core/loop/owned_fd.h"

namespace gatehouse {
namespace {

std::string_view FromEnvironmentOrEmpty(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? std::string_view(value) : std::string_view();
}

std::int64_t MonotonicMicroseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

}  // namespace

NotifySocket NotifySocket::FromEnvironment() {
  std::int64_t period_us = 0;
  const std::string_view text = FromEnvironmentOrEmpty("WATCHDOG_USEC");
  std::from_chars(text.data(), text.data() + text.size(), period_us);
  std::optional<milliseconds> watchdog;
  if (period_us >= 2000) watchdog = milliseconds(period_us / 2000);
  return NotifySocket(std::string(FromEnvironmentOrEmpty("NOTIFY_SOCKET")), watchdog);
}

void NotifySocket::Ready(std::string_view status) const {
  Send(fmt::format("READY=1\nSTATUS={}", status));
}

// Type=notify-reload wants the time too.
void NotifySocket::Reloading() const {
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", MonotonicMicroseconds()));
}

void NotifySocket::Stopping() const {
  Send("STOPPING=1");
}

void NotifySocket::Watchdog() const {
  Send("WATCHDOG=1");
}

// Nobody waits for an answer: where it cannot be sent, systemd's own time limits act.
void NotifySocket::Send(std::string_view state) const {
  sockaddr_un to{};
  if (address_.empty() || address_.size() >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const OwnedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  static_cast<void>(::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to), size));
}

}  // namespace gatehouse
