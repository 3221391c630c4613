// One connection of the XMPP partner, either way round: STARTTLS and SASL EXTERNAL, then stanzas.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/xmpp/stream_transport.h"

namespace gatehouse::bench {

class PartnerStream {
 public:
  struct Facts {
    std::string from;  // the partner's domain; empty: the other end opens, and names it
    std::string to;    // Gatehouse speaks for it
    std::shared_ptr<const TlsContext> tls;
  };
  // None of them may destroy the stream.
  struct Events {
    std::function<void(PartnerStream&)> on_open;  // it may carry stanzas
    std::function<void(const proto::Element& message)> on_message;
    std::function<void(PartnerStream&, std::string_view why)> on_gone;  // perhaps twice
  };
  PartnerStream(Loop& loop, std::unique_ptr<TcpStream> tcp, Facts facts, const Events& events);
  PartnerStream(const PartnerStream&) = delete;
  PartnerStream& operator=(const PartnerStream&) = delete;

  [[nodiscard]] const std::string& from() const { return facts_.from; }
  void Send(std::string_view xml) { transport_->Send(xml); }
  // </stream:stream>, and the end of the connection once Gatehouse has said it too.
  void CloseOrderly() { Send("</stream:stream>"); }

 private:
  [[nodiscard]] bool accepted() const { return facts_.from.empty(); }
  void SendHeader(std::string_view from, std::string_view id);
  void OnHeader(const StreamHeader& header);
  void OnTls(const Result<void>& done);
  void OnElement(proto::Element& element);
  void OnTlsElement(const proto::Element& element);
  void OnFeatures(const proto::Element& features);
  void OnAuthenticated();

  Facts facts_;
  const Events& events_;
  std::unique_ptr<StreamTransport> transport_;
  bool authenticated_ = false;
};

}  // namespace gatehouse::bench
