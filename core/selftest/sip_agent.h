// A simulated SIP side: the next hop of Gatehouse over TCP, which answers 200 to what it is sent,
// and a user agent that sends MESSAGE over a connection of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/loop/tcp_stream.h"

namespace gatehouse::selftest {

class SipWire;

class SipAgent {
 public:
  struct Events {
    std::function<void(std::string_view body)> on_message;  // came from XMPP; answered with 200
    // The final answer to the MESSAGE with this Call-ID.
    std::function<void(std::string_view call_id, int status)> on_answer;
    // A connection has gone, ours or Gatehouse's; may be empty.
    std::function<void(std::string_view why)> on_closed = {};
  };
  SipAgent(Loop& loop, Events events);
  ~SipAgent();
  SipAgent(const SipAgent&) = delete;
  SipAgent& operator=(const SipAgent&) = delete;

  // Takes Gatehouse's connections from this listening descriptor, which stays the caller's.
  Result<void> Listen(int listening_fd);
  // Connects to Gatehouse; `ready` is called once. Sending comes after it.
  void Connect(const SocketAddress& gatehouse, std::function<void(Result<void>)> ready);
  // `from` and `to` are addresses such as "ann@corp.example"; `call_id` is a token. Without a
  // connection nothing happens.
  void SendMessage(std::string_view from, std::string_view to, std::string_view call_id,
                   std::string_view body);

 private:
  friend class SipWire;
  SipWire& Adopt(std::unique_ptr<TcpStream> tcp);

  Loop& loop_;
  Events events_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::unique_ptr<TcpStream::Connecting> attempt_;
  std::map<SipWire*, std::unique_ptr<SipWire>> wires_;
  SipWire* ours_ = nullptr;
};

}  // namespace gatehouse::selftest
