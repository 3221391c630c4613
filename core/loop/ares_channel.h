// One c-ares channel driven by the loop: its sockets and its timeouts.
#pragma once

#include <ares.h>

#include <map>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "core/loop/uv_handle.h"

namespace gatehouse {

class AresChannel {
 public:
  // `server_list`: c-ares' comma list; empty: the system's servers. `edns_bytes`: how long an
  // answer over UDP may be to a query that carries EDNS (RFC 6891); 0: none does. `any_code`: an
  // answer is one whatever its RCODE; without it SERVFAIL and the like make c-ares ask again.
  static Result<std::unique_ptr<AresChannel>> Create(Loop& loop, const std::string& server_list,
                                                     int edns_bytes = 0, bool any_code = false);
  ~AresChannel();  // queries under way are called back with ARES_EDESTRUCTION
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;

  [[nodiscard]] ares_channel raw() const { return channel_; }
  // After each query handed to c-ares: its time-out may be the next one due.
  void ScheduleTimeout();

 private:
  explicit AresChannel(Loop& loop);
  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable) noexcept;
  static void OnPoll(uv_poll_t* poll, int status, int events) noexcept;
  void Process(ares_socket_t readable, ares_socket_t writable);

  Loop& loop_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, UvHandle<uv_poll_t>> sockets_;
  Timer timeout_;
};

}  // namespace gatehouse
