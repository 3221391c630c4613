#include "core/loop/ares_channel.h"

#include <algorithm>

namespace gatehouse {
namespace {

// Two tries of each server fit well into the 5 s a query may take (3.3).
constexpr int kFirstTimeoutMs = 1200;
constexpr int kTries = 2;

}  // namespace

AresChannel::AresChannel(Loop& loop)
    : loop_(loop), timeout_(loop, [this] { Process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}

Result<std::unique_ptr<AresChannel>> AresChannel::Create(Loop& loop, const std::string& server_list,
                                                         int edns_bytes, bool any_code) {
  auto self = std::unique_ptr<AresChannel>(new AresChannel(loop));
  ares_options options{};
  // A name is asked as it stands: the host's search list has no say in federation.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  if (any_code) options.flags |= ARES_FLAG_NOCHECKRESP;
  options.timeout = kFirstTimeoutMs;
  options.tries = kTries;
  options.sock_state_cb = &OnSocketState;
  options.sock_state_cb_data = self.get();
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (edns_bytes > 0) {
    options.flags |= ARES_FLAG_EDNS;
    options.ednspsz = edns_bytes;
    mask |= ARES_OPT_EDNSPSZ;
  }
  if (const int code = ares_init_options(&self->channel_, &options, mask); code != ARES_SUCCESS) {
    self->channel_ = nullptr;
    return Trouble(std::string("dns: ") + ares_strerror(code));
  }
  if (server_list.empty()) return self;
  if (const int code = ares_set_servers_ports_csv(self->channel_, server_list.c_str());
      code != ARES_SUCCESS)
    return BadConfig("dns.servers: " + server_list + ": " + ares_strerror(code));
  return self;
}

AresChannel::~AresChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

void AresChannel::ScheduleTimeout() {
  timeval span{};
  if (ares_timeout(channel_, nullptr, &span) == nullptr) return timeout_.Stop();
  const auto ms = static_cast<milliseconds::rep>(span.tv_sec) * 1000 + span.tv_usec / 1000;
  timeout_.Start(milliseconds(ms + 1));
}

void AresChannel::Process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  ScheduleTimeout();
}

void AresChannel::OnPoll(uv_poll_t* poll, int status, int events) noexcept {
  if (poll->data == nullptr) return;
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(poll), &fd);
  // An error is told by both: c-ares finds it when it reads.
  const bool readable = status != 0 || (events & UV_READABLE) != 0;
  const bool writable = status != 0 || (events & UV_WRITABLE) != 0;
  static_cast<AresChannel*>(poll->data)
      ->Process(readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
}

void AresChannel::OnSocketState(void* data, ares_socket_t fd, int readable, int writable) noexcept {
  auto& self = *static_cast<AresChannel*>(data);
  const int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
  if (events == 0) {
    self.sockets_.erase(fd);
    return;
  }
  UvHandle<uv_poll_t>& poll = self.sockets_[fd];
  if (!poll) {
    auto fresh = std::make_unique<uv_poll_t>();
    if (uv_poll_init(self.loop_.raw(), fresh.get(), fd) != 0) {
      self.sockets_.erase(fd);  // the query then meets its time-out
      return;
    }
    poll.reset(fresh.release());
    poll->data = &self;
  }
  uv_poll_start(poll.get(), events, &OnPoll);
}

}  // namespace gatehouse
