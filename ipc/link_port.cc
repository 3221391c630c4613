#include "ipc/link_port.h"

#include <utility>

namespace gatehouse::ipc {

LinkPort::LinkPort(Loop& loop, ZmqContext& context, ZmqSocket::Options options, OnFrame on_frame)
    : loop_(loop),
      context_(context),
      options_(std::move(options)),
      on_frame_(std::move(on_frame)) {}

Result<void> LinkPort::Bind(const std::string& address) {
  GATEHOUSE_TRY(auto socket, ZmqSocket::Create(context_, ZmqKind::kRouter, options_));
  GATEHOUSE_TRY_VOID(socket->Bind(address));
  GATEHOUSE_TRY(router_, ZmqOnLoop::Create(loop_, std::move(socket), [this](const ZmqFrame& frame) {
                  on_frame_(frame.from, frame);
                }));
  return {};
}

Result<void> LinkPort::ConnectTo(const std::string& instance, const std::string& address) {
  Dealer& dealer = dealers_[instance];
  if (dealer.socket != nullptr && dealer.address == address) return {};  // it reconnects by itself
  GATEHOUSE_TRY(auto socket, ZmqSocket::Create(context_, ZmqKind::kDealer, options_));
  GATEHOUSE_TRY_VOID(socket->Connect(address));
  dealer.address = address;
  GATEHOUSE_TRY(dealer.socket, ZmqOnLoop::Create(loop_, std::move(socket),
                                                 [this, instance](const ZmqFrame& frame) {
                                                   on_frame_(instance, frame);
                                                 }));
  return {};
}

ZmqSocket::Sent LinkPort::Send(const std::string& instance, ZmqMessage& body) {
  if (router_ != nullptr) return router_->Send(instance, body);
  const auto dealer = dealers_.find(instance);
  if (dealer == dealers_.end() || dealer->second.socket == nullptr) return ZmqSocket::Sent::kNoPeer;
  return dealer->second.socket->Send({}, body);
}

}  // namespace gatehouse::ipc
