// A partner's XMPP server on loopback: takes streams as the test says and remembers what it got.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/tcp_stream.h"
#include "core/tls/tls_context.h"
#include "core/xmpp/ack_count.h"
#include "core/xmpp/element.h"
#include "core/xmpp/stream_transport.h"
#include "core/xmpp/xml_writer.h"
#include "tests/unit/core/loop/loopback_sockets.h"

namespace gatehouse {

class FakeXmppServer {
 public:
  FakeXmppServer(Loop& loop, std::string domain)
      : loop_(loop), domain_(std::move(domain)), listener_(SOCK_STREAM) {
    listener_.Listen();
    acceptor_ = *TcpAcceptor::Create(loop_, listener_.fd(), [this](std::unique_ptr<TcpStream> tcp) {
      streams_.push_back(std::make_unique<Stream>(*this, std::move(tcp)));
      if (streams_.size() < takes) return;
      acceptor_.reset();
      listener_.Close();
    });
  }

  // How it behaves.
  std::shared_ptr<const TlsContext> tls;  // offered as STARTTLS where set
  bool direct_tls = false;                // TLS first
  bool refuse_starttls = false;
  bool hide_starttls = false;              // not offered, but taken
  bool external = false;                   // offered inside TLS
  bool silent = false;                     // accepts and says nothing
  std::size_t takes = SIZE_MAX;            // connections; then nobody listens any more
  std::string result_type = "valid";       // of <db:result/>; "" answers nothing
  std::vector<std::string> result_errors;  // conditions that the first <db:result/>s get instead
  std::string verify_type = "valid";       // of <db:verify/>; "" answers nothing
  std::string stream_error;                // sent in place of features
  std::string other_host;                  // where it sends whoever is inside TLS
  bool bidi = false;                       // XEP-0288: offered inside TLS
  bool acks = false;                       // XEP-0198: offered, and <r/> answered
  bool withholds_acks = false;             // <r/> is answered with h='0'
  std::string acks_answer = "<enabled xmlns='urn:xmpp:sm:3'/>";  // to <enable/>

  // What it got.
  std::vector<std::string> stanzas;   // the ids, in order
  std::vector<std::string> bodies;    // the same as XML
  std::vector<std::string> results;   // "from key"
  std::vector<std::string> verifies;  // "id key"
  int ack_requests = 0;
  std::vector<std::string> acks_got;  // the h of each
  int bidi_requests = 0;
  std::vector<std::string> closings;  // condition of a stream error, or "footer"

  [[nodiscard]] std::size_t connections() const { return streams_.size(); }
  [[nodiscard]] std::uint16_t port() const { return listener_.address().Port(); }
  // To every stream.
  void SendAll(std::string_view xml) {
    for (const auto& stream : streams_) stream->transport->Send(xml);
  }
  void CloseAll() {
    for (const auto& stream : streams_) stream->transport->Close();
  }

 private:
  struct Stream {
    Stream(FakeXmppServer& owner, std::unique_ptr<TcpStream> tcp) : server(owner) {
      StreamTransport::Events events;
      events.on_header = [this](const StreamHeader& header) { OnHeader(header); };
      events.on_element = [this](proto::Element& element, std::size_t) { OnElement(element); };
      events.on_footer = [this] {
        server.closings.emplace_back("footer");
        transport->Send(kStreamFooter);
        transport->Close();
      };
      events.on_bad_xml = [](StreamCondition) {};
      events.on_tls = [this](const Result<void>& done) { in_tls = done.has_value(); };
      events.on_closed = [](std::string_view) {};
      transport = StreamTransport::Create(server.loop_, std::move(tcp), std::move(events));
      if (server.direct_tls) transport->StartTls(server.tls, TlsSession::Role::kServer, {});
    }

    void OnHeader(const StreamHeader& header) {
      if (server.silent) return;
      transport->LiftUnverifiedBudget();
      transport->Send(StreamHeaderXml(
          {.from = server.domain_, .to = header.from, .id = "id" + std::to_string(++headers)}));
      if (in_tls && !server.other_host.empty()) {
        transport->Send("<stream:error><see-other-host xmlns='" + std::string(ns::kStreamErrors) +
                        "'>" + server.other_host + "</see-other-host></stream:error>");
        return;
      }
      if (!server.stream_error.empty()) {
        transport->Send("<stream:error><" + server.stream_error +
                        " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
        return;
      }
      std::string features = "<stream:features>";
      if (server.tls && !in_tls && !server.hide_starttls)
        features += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
      if (server.external && in_tls && !authenticated)
        features +=
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
            "</mechanisms>";
      features += "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";
      if (server.bidi && in_tls && !authenticated)
        features += "<bidi xmlns='urn:xmpp:features:bidi'/>";
      if (server.acks) features += "<sm xmlns='urn:xmpp:sm:3'/>";
      transport->Send(features + "</stream:features>");
    }

    void OnElement(const proto::Element& element) {
      if (Is(element, "error", ns::kStream)) {
        server.closings.push_back(FirstChild(element)->name());
      } else if (Is(element, "starttls", ns::kTls)) {
        OnStartTls();
      } else if (Is(element, "auth", ns::kSasl)) {
        authenticated = true;
        transport->Send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        transport->RestartXml();
      } else if (Is(element, "result", ns::kDialback)) {
        server.results.push_back(std::string(Attribute(element, "from")) + " " + TextOf(element));
        if (server.result_errors.empty()) return Answer(element, server.result_type);
        Refuse(element, server.result_errors.front());
        server.result_errors.erase(server.result_errors.begin());
      } else if (Is(element, "verify", ns::kDialback)) {
        server.verifies.push_back(std::string(Attribute(element, "id")) + " " + TextOf(element));
        Answer(element, server.verify_type);
      } else if (Is(element, "enable", ns::kStreamManagement)) {
        transport->Send(server.acks_answer);
      } else if (Is(element, "bidi", ns::kBidi)) {
        ++server.bidi_requests;
      } else if (Is(element, "a", ns::kStreamManagement)) {
        server.acks_got.emplace_back(Attribute(element, "h"));
      } else if (Is(element, "r", ns::kStreamManagement)) {
        ++server.ack_requests;
        transport->Send(AckXml(server.withholds_acks ? 0 : handled));
      } else {
        ++handled;
        server.bodies.push_back(XmlOf(element));
        server.stanzas.emplace_back(Attribute(element, "id"));
      }
    }

    static std::string XmlOf(const proto::Element& element) {
      std::string xml;
      AppendXml(xml, element);
      return xml;
    }

    void OnStartTls() {
      if (server.refuse_starttls || !server.tls) {
        transport->Send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
        return transport->Close();
      }
      transport->Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      transport->StartTls(server.tls, TlsSession::Role::kServer, {});
    }

    void Refuse(const proto::Element& asked, const std::string& condition) {
      transport->Send("<db:result from='" + std::string(Attribute(asked, "to")) + "' to='" +
                      std::string(Attribute(asked, "from")) +
                      "' type='error'><error type='wait'><" + condition + " xmlns='" +
                      std::string(ns::kStanzaErrors) + "'/></error></db:result>");
    }

    void Answer(const proto::Element& asked, const std::string& type) {
      if (type.empty()) return;
      proto::Element answer = MakeElement(asked.name(), ns::kDialback);
      SetAttribute(answer, "from", Attribute(asked, "to"));
      SetAttribute(answer, "to", Attribute(asked, "from"));
      if (HasAttribute(asked, "id")) SetAttribute(answer, "id", Attribute(asked, "id"));
      SetAttribute(answer, "type", type);
      std::string xml;
      AppendXml(xml, answer);
      transport->Send(xml);
    }

    FakeXmppServer& server;
    std::unique_ptr<StreamTransport> transport;
    bool in_tls = false;
    bool authenticated = false;
    int headers = 0;
    std::uint32_t handled = 0;
  };

  Loop& loop_;
  std::string domain_;
  LoopbackSocket listener_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::unique_ptr<TcpAcceptor> acceptor_;
};

}  // namespace gatehouse
