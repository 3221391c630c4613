// The SIP next hop over TCP: answers 200 to what it is sent, and sends MESSAGE over a connection of
// its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/loop/tcp_stream.h"
#include "tests/bench/ledger.h"

namespace gatehouse::bench {

class SipConnection;

class SipEnd {
 public:
  struct Events {
    std::function<void(MessageNumber)> on_message;  // arrived from XMPP
    // The final answer to a MESSAGE of ours.
    std::function<void(MessageNumber, int status)> on_answer;
    std::function<void(const std::string&)> on_trouble;
  };
  SipEnd(Loop& loop, SocketAddress gatehouse, std::string local_domain, Events events);
  ~SipEnd();
  SipEnd(const SipEnd&) = delete;
  SipEnd& operator=(const SipEnd&) = delete;

  [[nodiscard]] Result<void> Listen(int listening_fd);
  void Connect(std::function<void()> ready);
  // `to`: "u3@p1.example"; the body fills the message up to about `bytes` octets of a stanza.
  void SendMessage(std::size_t pair, const std::string& to, MessageNumber number,
                   std::size_t bytes);

 private:
  friend class SipConnection;
  SipConnection& Adopt(std::unique_ptr<TcpStream> tcp);
  void Gone(SipConnection& connection, std::string_view why);

  Loop& loop_;
  SocketAddress gatehouse_;
  std::string local_domain_;
  Events events_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::unique_ptr<TcpStream::Connecting> attempt_;
  std::map<SipConnection*, std::unique_ptr<SipConnection>> connections_;
  SipConnection* ours_ = nullptr;
};

}  // namespace gatehouse::bench
