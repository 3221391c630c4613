#include "ipc/ctl_link.h"

#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ipc/zmq_on_loop.h"

namespace gatehouse::ipc {
namespace {

// A list of thousands of partners.
constexpr std::size_t kMaxCtlBytes = std::size_t{64} * 1024 * 1024;

ZmqSocket::Options CtlSocket(milliseconds linger) {
  ZmqSocket::Options options;
  options.tell_uid = true;
  options.max_message_bytes = kMaxCtlBytes;
  options.linger = linger;
  return options;
}

void Fill(ZmqMessage& message, const google::protobuf::MessageLite& from) {
  from.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(message.data()));
}

std::string UserName(std::uint32_t uid) {
  const passwd* const entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", uid);
}

class CtlRouterEnd final : public CtlServer {
 public:
  explicit CtlRouterEnd(OnRequest on_request) : on_request_(std::move(on_request)) {}

  Result<void> Open(Loop& loop, ZmqContext& context, const std::string& address) {
    GATEHOUSE_TRY(auto socket,
                  ZmqSocket::Create(context, ZmqKind::kRouter, CtlSocket(milliseconds{500})));
    GATEHOUSE_TRY_VOID(socket->Bind(address));
    GATEHOUSE_TRY(socket_, ZmqOnLoop::Create(loop, std::move(socket),
                                             [this](const ZmqFrame& frame) { OnFrame(frame); }));
    return {};
  }

 private:
  void OnFrame(const ZmqFrame& frame) {
    proto::CtlRequest request;
    if (!frame.well_formed ||
        !request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())))
      return Refuse(frame, 2, "the request cannot be read: use the gatehousectl of this version");
    if (!frame.uid)
      return Refuse(frame, 1, "the control socket does not tell who asks; nothing is done");
    request.set_actor_uid(*frame.uid);
    request.set_actor(UserName(*frame.uid));
    on_request_(request, [this, client = std::string(frame.from),
                          id = request.id()](proto::CtlResponse response) {
      response.set_id(id);
      Send(client, response);
    });
  }
  void Refuse(const ZmqFrame& frame, std::uint32_t exit_code, std::string why) {
    proto::CtlResponse refusal;
    refusal.set_exit_code(exit_code);
    refusal.set_error(std::move(why));
    Send(frame.from, refusal);
  }
  // One who has gone away meanwhile needs no response.
  void Send(std::string_view client, const proto::CtlResponse& response) {
    ZmqMessage message(response.ByteSizeLong());
    Fill(message, response);
    socket_->Send(client, message);
  }

  OnRequest on_request_;
  std::unique_ptr<ZmqOnLoop> socket_;
};

// ZeroMQ waits for a listener for ever; a plain connect tells at once whether there is one.
Result<void> SomebodyListens(const std::string& address) {
  GATEHOUSE_TRY(const std::string path, PathOfIpcAddress(address));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), static_cast<char*>(name.sun_path));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Trouble(fmt::format("Unix socket: {}", std::strerror(errno)));
  const int code = connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  const int reason = errno;
  close(fd);
  if (code == 0) return {};
  if (reason == EACCES)
    return BadConfig(fmt::format(
        "this user may not talk to {}; run it as root or as the user of gatehoused", path));
  return Trouble(fmt::format("nobody listens at {}: {}", path, std::strerror(reason)));
}

Result<bool> WaitReadable(const ZmqSocket& socket, TimePoint until) {
  while (!socket.readable()) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd ready{socket.descriptor(), POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, 60000))) < 0 &&
        errno != EINTR)
      return Trouble(fmt::format("poll: {}", std::strerror(errno)));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<CtlServer>> CtlServer::Create(Loop& loop, ZmqContext& context,
                                                     const std::string& address,
                                                     OnRequest on_request) {
  auto end = std::make_unique<CtlRouterEnd>(std::move(on_request));
  GATEHOUSE_TRY_VOID(end->Open(loop, context, address));
  return end;
}

Result<std::optional<proto::CtlResponse>> CallSupervisor(const std::string& address,
                                                         const proto::CtlRequest& request,
                                                         milliseconds limit) {
  GATEHOUSE_TRY_VOID(SomebodyListens(address));
  const TimePoint until = std::chrono::steady_clock::now() + limit;
  GATEHOUSE_TRY(const auto context, ZmqContext::Create());
  GATEHOUSE_TRY(const auto socket,
                ZmqSocket::Create(*context, ZmqKind::kDealer, CtlSocket(milliseconds{0})));
  GATEHOUSE_TRY_VOID(socket->Connect(address));
  ZmqMessage question(request.ByteSizeLong());
  Fill(question, request);
  if (socket->Send({}, question) != ZmqSocket::Sent::kSent)
    return Trouble("the request could not be sent to " + address);
  ZmqMessage from;
  ZmqMessage body;
  ZmqFrame frame;
  GATEHOUSE_TRY(const bool answered, WaitReadable(*socket, until));
  if (!answered || !socket->Receive(from, body, frame)) return std::nullopt;
  proto::CtlResponse response;
  if (!frame.well_formed ||
      !response.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())))
    return Trouble("the supervisor's response cannot be read: is it of this version?");
  return response;
}

}  // namespace gatehouse::ipc
