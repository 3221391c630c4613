// The sockets of one side of one link: the end that binds has one ROUTER for all siblings, the end
// that connects has one DEALER for each.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "ipc/zmq_on_loop.h"

namespace gatehouse::ipc {

class LinkPort {
 public:
  // `instance` is the sender's routing id as it claims; only siblings can open the socket's folder.
  using OnFrame = std::function<void(std::string_view instance, const ZmqFrame& frame)>;

  // Both references outlive this object.
  LinkPort(Loop& loop, ZmqContext& context, ZmqSocket::Options options, OnFrame on_frame);
  LinkPort(const LinkPort&) = delete;
  LinkPort& operator=(const LinkPort&) = delete;

  // The end that binds, once.
  Result<void> Bind(const std::string& address);
  // The end that connects: `instance` is heard and spoken to at `address` from now on. Not from
  // within OnFrame.
  Result<void> ConnectTo(const std::string& instance, const std::string& address);
  ZmqSocket::Sent Send(const std::string& instance, ZmqMessage& body);

 private:
  struct Dealer {
    std::string address;
    std::unique_ptr<ZmqOnLoop> socket;
  };

  Loop& loop_;
  ZmqContext& context_;
  ZmqSocket::Options options_;
  OnFrame on_frame_;
  std::unique_ptr<ZmqOnLoop> router_;
  std::map<std::string, Dealer> dealers_;
};

}  // namespace gatehouse::ipc
