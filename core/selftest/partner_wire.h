// One connection of the simulated partner: TCP, perhaps TLS, and XML. Keeps every octet that came
// in clear.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/loop/tcp_stream.h"
#include "core/tls/tls_session.h"
#include "core/xmpp/xml_reader.h"

namespace gatehouse::selftest {

class PartnerWire {
 public:
  // None of them may destroy the wire.
  struct Events {
    std::function<void(const StreamHeader&)> on_header;
    std::function<void(const proto::Element&)> on_element;
    std::function<void()> on_footer;
    std::function<void(bool done)> on_tls;
    std::function<void()> on_closed;  // by the other end, in any way; at most once
  };
  PartnerWire(std::unique_ptr<TcpStream> tcp, Events events);
  ~PartnerWire();
  PartnerWire(const PartnerWire&) = delete;
  PartnerWire& operator=(const PartnerWire&) = delete;

  void Send(std::string_view xml);
  void RestartXml();
  // What was sent before goes out in clear.
  void StartTls(std::shared_ptr<const TlsContext> context, TlsSession::Role role,
                std::string_view server_name);
  void Close();

  [[nodiscard]] bool in_tls() const { return tls_ != nullptr; }
  [[nodiscard]] const TlsSession* tls() const { return tls_.get(); }
  [[nodiscard]] const std::string& clear_octets() const { return clear_octets_; }

 private:
  using Bytes = std::span<const std::byte>;
  void OnBytes(Bytes bytes);
  void OnPlaintext(Bytes bytes);
  void Closed();

  Events events_;
  std::unique_ptr<TcpStream> tcp_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<XmlReader> reader_;
  std::string clear_octets_;
  bool closed_ = false;
};

}  // namespace gatehouse::selftest
