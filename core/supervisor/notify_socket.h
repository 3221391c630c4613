// Tells systemd how we are, where it asked to be told (sd_notify(3), Type=notify).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace gatehouse {

class NotifySocket {
 public:
  // Takes NOTIFY_SOCKET and WATCHDOG_USEC from the environment; without the first every call does
  // nothing.
  static NotifySocket FromEnvironment();
  //   address  a path, or "@name" for an abstract socket
  explicit NotifySocket(std::string address, std::optional<milliseconds> watchdog = std::nullopt)
      : address_(std::move(address)), watchdog_(watchdog) {}

  void Ready(std::string_view status) const;
  void Reloading() const;
  void Stopping() const;
  void Watchdog() const;
  // How often Watchdog is due: half of what systemd waits. Nothing where it does not watch.
  [[nodiscard]] std::optional<milliseconds> watchdog() const { return watchdog_; }

 private:
  void Send(std::string_view state) const;

  std::string address_;
  std::optional<milliseconds> watchdog_;
};

}  // namespace gatehouse
