#include "ipc/zmq_socket.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "core/base/limits.h"

namespace gatehouse::ipc {
namespace {

constexpr std::string_view kIpcScheme = "ipc://";
// A sibling that was reborn is found again within this; its socket is there before the supervisor
// names it.
constexpr int kReconnectMs = 20;
constexpr int kReconnectMaxMs = 100;

Error ZmqError(std::string_view what) {
  return Error{Fault::kTrouble, fmt::format("{}: {}", what, zmq_strerror(zmq_errno()))};
}

// ZeroMQ asks the kernel when the connection begins and notes "HOST:UID:GID:PID"; what a peer says
// of itself does not replace it.
std::optional<std::uint32_t> PeerUid(ZmqMessage& message) {
  const char* const noted = zmq_msg_gets(message.raw(), "Peer-Address");
  std::string_view rest = noted != nullptr ? noted : "";
  std::array<std::string_view, 3> last;  // PID, GID, UID
  for (std::string_view& part : last) {
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    part = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  std::uint32_t uid = 0;
  const std::string_view number = last[2];
  const char* const stop = number.end();
  const auto [end, failed] = std::from_chars(number.begin(), stop, uid);
  if (failed != std::errc() || end != stop) return std::nullopt;
  return uid;
}

}  // namespace

Result<std::string> PathOfIpcAddress(const std::string& address) {
  if (!address.starts_with(kIpcScheme) || address.size() == kIpcScheme.size())
    return BadConfig(fmt::format("link address '{}' is no ipc://PATH", address));
  std::string path = address.substr(kIpcScheme.size());
  if (path.size() >= kMaxUnixPathBytes)
    return BadConfig(
        fmt::format("socket path '{}' has {} octets, a Unix socket takes at most {}: choose a "
                    "shorter runtime folder",
                    path, path.size(), kMaxUnixPathBytes - 1));
  return path;
}

Result<std::unique_ptr<ZmqSocket>> ZmqSocket::Create(ZmqContext& context, ZmqKind kind,
                                                     const Options& options) {
  void* raw = zmq_socket(context.raw(), kind == ZmqKind::kRouter ? ZMQ_ROUTER : ZMQ_DEALER);
  if (raw == nullptr) return std::unexpected(ZmqError("ZeroMQ socket"));
  auto socket =
      std::unique_ptr<ZmqSocket>(new ZmqSocket(raw, kind, options));  // NOLINT: private constructor
  GATEHOUSE_TRY_VOID(socket->Apply(options));
  return socket;
}

ZmqSocket::~ZmqSocket() {
  GATEHOUSE_CHECK(zmq_close(socket_) == 0);
}

Result<void> ZmqSocket::Apply(const Options& options) {
  GATEHOUSE_TRY_VOID(Set(ZMQ_LINGER, "ZMQ_LINGER", static_cast<int>(options.linger.count())));
  GATEHOUSE_TRY_VOID(Set(ZMQ_SNDHWM, "ZMQ_SNDHWM", options.high_water_messages));
  GATEHOUSE_TRY_VOID(Set(ZMQ_RCVHWM, "ZMQ_RCVHWM", options.high_water_messages));
  GATEHOUSE_TRY_VOID(Set(ZMQ_RECONNECT_IVL, "ZMQ_RECONNECT_IVL", kReconnectMs));
  GATEHOUSE_TRY_VOID(Set(ZMQ_RECONNECT_IVL_MAX, "ZMQ_RECONNECT_IVL_MAX", kReconnectMaxMs));
  if (options.max_message_bytes > 0) {
    const auto limit = static_cast<std::int64_t>(options.max_message_bytes);
    if (zmq_setsockopt(socket_, ZMQ_MAXMSGSIZE, &limit, sizeof(limit)) != 0)
      return std::unexpected(ZmqError("ZMQ_MAXMSGSIZE"));
  }
  if (kind_ == ZmqKind::kRouter) {
    GATEHOUSE_TRY_VOID(Set(ZMQ_ROUTER_MANDATORY, "ZMQ_ROUTER_MANDATORY", 1));
    return Set(ZMQ_ROUTER_HANDOVER, "ZMQ_ROUTER_HANDOVER", 1);
  }
  GATEHOUSE_TRY_VOID(Set(ZMQ_IMMEDIATE, "ZMQ_IMMEDIATE", options.queue_unconnected ? 0 : 1));
  if (options.routing_id.empty()) return {};  // the ROUTER gives it one
  if (zmq_setsockopt(socket_, ZMQ_ROUTING_ID, options.routing_id.data(),
                     options.routing_id.size()) != 0)
    return std::unexpected(ZmqError("ZMQ_ROUTING_ID"));
  return {};
}

Result<void> ZmqSocket::Set(int option, const char* name, int value) {
  if (zmq_setsockopt(socket_, option, &value, sizeof(value)) != 0)
    return std::unexpected(ZmqError(name));
  return {};
}

Result<void> ZmqSocket::Bind(const std::string& address) {
  GATEHOUSE_TRY([[maybe_unused]] const std::string path, PathOfIpcAddress(address));
  // ZeroMQ removes the socket file a dead binder left behind.
  if (zmq_bind(socket_, address.c_str()) != 0)
    return std::unexpected(ZmqError("binding " + address));
  return {};
}

Result<void> ZmqSocket::Connect(const std::string& address) {
  GATEHOUSE_TRY([[maybe_unused]] const std::string path, PathOfIpcAddress(address));
  if (zmq_connect(socket_, address.c_str()) != 0)
    return std::unexpected(ZmqError("connecting to " + address));
  return {};
}

ZmqSocket::Sent ZmqSocket::Send(std::string_view to, ZmqMessage& body) {
  const auto judge = [this](int code) {
    if (code >= 0) return Sent::kSent;
    if (zmq_errno() == EHOSTUNREACH) return Sent::kNoPeer;
    GATEHOUSE_CHECK(zmq_errno() == EAGAIN);  // everything else is a misuse of the socket
    return kind_ == ZmqKind::kDealer && !queues_ ? Sent::kNoPeer : Sent::kFull;
  };
  if (kind_ == ZmqKind::kRouter) {
    int code = 0;
    do {
      code = zmq_send(socket_, to.data(), to.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE);
    } while (code < 0 && zmq_errno() == EINTR);
    if (const Sent head = judge(code); head != Sent::kSent) return head;
  }
  int code = 0;
  do {
    code = zmq_msg_send(body.raw(), socket_, ZMQ_DONTWAIT);
  } while (code < 0 && zmq_errno() == EINTR);
  return judge(code);
}

bool ZmqSocket::Receive(ZmqMessage& from, ZmqMessage& body, ZmqFrame& frame) {
  frame = ZmqFrame{};
  if (kind_ == ZmqKind::kRouter) {
    if (!ReceivePart(from)) return false;
    frame.from = from.view();
    if (!from.more()) {
      frame.well_formed = false;
      return true;
    }
  }
  if (!ReceivePart(body)) return false;
  frame.well_formed = !DropRest(body);
  frame.body = frame.well_formed ? body.view() : std::string_view{};
  if (tells_uid_) frame.uid = PeerUid(body);
  return true;
}

bool ZmqSocket::ReceivePart(ZmqMessage& part) {
  int code = 0;
  do {
    code = zmq_msg_recv(part.raw(), socket_, ZMQ_DONTWAIT);
  } while (code < 0 && zmq_errno() == EINTR);
  GATEHOUSE_CHECK(code >= 0 || zmq_errno() == EAGAIN);
  return code >= 0;
}

// True when there was a rest. The parts of one message arrive together.
bool ZmqSocket::DropRest(ZmqMessage& last) {
  bool any = false;
  while (last.more()) {
    any = true;
    GATEHOUSE_CHECK(ReceivePart(last));
  }
  return any;
}

int ZmqSocket::descriptor() const {
  int fd = -1;
  std::size_t size = sizeof(fd);
  GATEHOUSE_CHECK(zmq_getsockopt(socket_, ZMQ_FD, &fd, &size) == 0);
  return fd;
}

bool ZmqSocket::readable() const {
  int events = 0;
  std::size_t size = sizeof(events);
  int code = 0;
  do {
    code = zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size);
  } while (code != 0 && zmq_errno() == EINTR);
  GATEHOUSE_CHECK(code == 0);
  return (events & ZMQ_POLLIN) != 0;
}

}  // namespace gatehouse::ipc
