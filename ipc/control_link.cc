#include "ipc/control_link.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/log.h"
#include "ipc/zmq_on_loop.h"

namespace gatehouse::ipc {
namespace {

// A worker's counters and ctl responses (a list of all partners) are the largest words.
constexpr std::size_t kMaxWordBytes = std::size_t{64} * 1024 * 1024;
// A tag and a number; longer words are no pings and are not read twice.
constexpr std::size_t kMaxPingBytes = 16;
// `drained` and `fatal` are said right before the end.
constexpr milliseconds kLastWords{500};

ZmqSocket::Options WordSocket(std::string routing_id, milliseconds linger) {
  ZmqSocket::Options options;
  options.routing_id = std::move(routing_id);
  options.max_message_bytes = kMaxWordBytes;
  options.linger = linger;
  return options;
}

Result<void> SendWord(ZmqOnLoop& socket, std::string_view to,
                      const google::protobuf::MessageLite& word) {
  ZmqMessage message(word.ByteSizeLong());
  word.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(message.data()));
  switch (socket.Send(to, message)) {
    case ZmqSocket::Sent::kSent:
      return {};
    case ZmqSocket::Sent::kNoPeer:
      return Trouble(fmt::format("no worker '{}' is connected", to));
    case ZmqSocket::Sent::kFull:
      return Trouble(fmt::format("control link to '{}' is full", to));
  }
  return {};
}

class ControlRouterEnd final : public ControlServer {
 public:
  explicit ControlRouterEnd(Events events) : events_(std::move(events)) {}

  Result<void> Open(Loop& loop, ZmqContext& context, const std::string& address) {
    GATEHOUSE_TRY(auto socket,
                  ZmqSocket::Create(context, ZmqKind::kRouter, WordSocket({}, milliseconds{0})));
    GATEHOUSE_TRY_VOID(socket->Bind(address));
    GATEHOUSE_TRY(socket_, ZmqOnLoop::Create(loop, std::move(socket),
                                             [this](const ZmqFrame& frame) { OnFrame(frame); }));
    return {};
  }
  Result<void> Send(std::string_view instance, const proto::FromSupervisor& word) override {
    return SendWord(*socket_, instance, word);
  }

 private:
  void OnFrame(const ZmqFrame& frame) {
    if (!frame.well_formed ||
        !word_.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
      if (events_.on_malformed) events_.on_malformed(frame.from, "not a word of a worker");
      return;
    }
    if (events_.on_word) events_.on_word(frame.from, word_);
  }

  Events events_;
  proto::FromWorker word_;
  std::unique_ptr<ZmqOnLoop> socket_;
};

class ControlDealerEnd final : public ControlClient {
 public:
  ControlDealerEnd(std::uint64_t epoch, OnWord on_word)
      : epoch_(epoch), on_word_(std::move(on_word)) {}

  Result<void> Open(Loop& loop, ZmqContext& context, const std::string& address,
                    const std::string& instance) {
    GATEHOUSE_TRY(auto socket,
                  ZmqSocket::Create(context, ZmqKind::kDealer, WordSocket(instance, kLastWords)));
    GATEHOUSE_TRY_VOID(socket->Connect(address));
    GATEHOUSE_TRY(socket_, ZmqOnLoop::Create(loop, std::move(socket),
                                             [this](const ZmqFrame& frame) { OnFrame(frame); }));
    return {};
  }
  Result<void> Send(proto::FromWorker word) override {
    word.set_epoch(epoch_);
    return SendWord(*socket_, {}, word);
  }
  void TakePings(const std::function<void(std::uint64_t)>& on_ping) override {
    socket_->LookAhead([&on_ping](const ZmqFrame& frame) {
      proto::FromSupervisor word;
      if (!frame.well_formed || frame.body.size() > kMaxPingBytes ||
          !word.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())) ||
          !word.has_ping())
        return false;
      on_ping(word.ping());
      return true;
    });
  }

 private:
  void OnFrame(const ZmqFrame& frame) {
    proto::FromSupervisor word;
    if (!frame.well_formed ||
        !word.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
      Log(LogLevel::kError, "control-malformed");
      return;
    }
    if (on_word_) on_word_(word);
  }

  std::uint64_t epoch_;
  OnWord on_word_;
  std::unique_ptr<ZmqOnLoop> socket_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::Create(Loop& loop, ZmqContext& context,
                                                             const std::string& address,
                                                             Events events) {
  auto end = std::make_unique<ControlRouterEnd>(std::move(events));
  GATEHOUSE_TRY_VOID(end->Open(loop, context, address));
  return end;
}

Result<std::unique_ptr<ControlClient>> ControlClient::Create(Loop& loop, ZmqContext& context,
                                                             const std::string& address,
                                                             const std::string& instance,
                                                             std::uint64_t epoch, OnWord on_word) {
  auto end = std::make_unique<ControlDealerEnd>(epoch, std::move(on_word));
  GATEHOUSE_TRY_VOID(end->Open(loop, context, address, instance));
  return end;
}

}  // namespace gatehouse::ipc
