// The SIP side of the load driver: marks each MESSAGE it sends and reads the marks of what comes.
#pragma once

#include <functional>
#include <string>

#include "core/selftest/sip_agent.h"
#include "tests/bench/ledger.h"

namespace gatehouse::bench {

class SipEnd {
 public:
  struct Events {
    std::function<void(MessageNumber)> on_message;  // arrived from XMPP
    // The final answer to a MESSAGE of ours.
    std::function<void(MessageNumber, int status)> on_answer;
    std::function<void(const std::string&)> on_trouble;
  };
  SipEnd(Loop& loop, SocketAddress gatehouse, std::string local_domain, Events events);
  SipEnd(const SipEnd&) = delete;
  SipEnd& operator=(const SipEnd&) = delete;

  [[nodiscard]] Result<void> Listen(int listening_fd) { return agent_.Listen(listening_fd); }
  void Connect(std::function<void()> ready);
  // `to`: "u3@p1.example"; the body fills the message up to about `bytes` octets of a stanza.
  // Without a connection it is counted as lost.
  void SendMessage(std::size_t pair, const std::string& to, MessageNumber number,
                   std::size_t bytes);

 private:
  SocketAddress gatehouse_;
  std::string local_domain_;
  Events events_;
  selftest::SipAgent agent_;
};

}  // namespace gatehouse::bench
