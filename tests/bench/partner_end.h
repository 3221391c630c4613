// The XMPP partner's side of the message phases: streams it opens and streams it accepts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/ledger.h"
#include "tests/bench/partner_stream.h"

namespace gatehouse::bench {

struct PartnerSetup {
  std::vector<std::string>
      domains;               // of the partner; user pair n belongs to domain n modulo their number
  std::string local_domain;  // Gatehouse speaks for it
  SocketAddress gatehouse;   // its s2s listener
  std::shared_ptr<const TlsContext> tls;
};

class PartnerEnd {
 public:
  struct Events {
    std::function<void(MessageNumber)> on_message;       // arrived from SIP
    std::function<void(MessageNumber)> on_error;         // a stanza of ours came back as an error
    std::function<void(const std::string&)> on_trouble;  // a stream broke or was refused
  };
  PartnerEnd(Loop& loop, PartnerSetup setup, Events events);
  PartnerEnd(const PartnerEnd&) = delete;
  PartnerEnd& operator=(const PartnerEnd&) = delete;

  // Accepts from a listening descriptor.
  [[nodiscard]] Result<void> Listen(int listening_fd);
  // Opens one stream for each domain; `ready` once all of them may carry stanzas.
  void Connect(std::function<void()> ready);
  // A stanza of about `bytes` octets on the wire.
  void SendMessage(std::size_t pair, MessageNumber number, std::size_t bytes);
  [[nodiscard]] std::string UserOf(std::size_t pair) const;  // "u3@p1.example"

 private:
  void Add(std::unique_ptr<TcpStream> tcp, const std::string& domain);
  void StreamOpen(PartnerStream& stream);
  void StreamGone(PartnerStream& stream, std::string_view why);
  void OnMessage(const proto::Element& message);

  Loop& loop_;
  PartnerSetup setup_;
  Events events_;
  PartnerStream::Events stream_events_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::map<PartnerStream*, std::unique_ptr<PartnerStream>> streams_;
  std::vector<std::unique_ptr<TcpStream::Connecting>> attempts_;
  std::vector<PartnerStream*> open_;  // by domain; null until it may carry stanzas
  std::function<void()> ready_;
};

}  // namespace gatehouse::bench
