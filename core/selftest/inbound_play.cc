#include "core/selftest/inbound_play.h"

#include <fmt/format.h>

#include "core/selftest/stream_words.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse::selftest {
namespace {

constexpr milliseconds kConnectLimit{10000};

}  // namespace

void InboundPlay::Start() {
  attempt_ = TcpStream::Connect(stage().loop, stage().gatehouse, kConnectLimit,
                                [this](Result<std::unique_ptr<TcpStream>> tcp) {
                                  if (tcp) return OnConnected(*std::move(tcp));
                                  End("Gatehouse takes no connection: " + tcp.error().text);
                                });
}

void InboundPlay::OnConnected(std::unique_ptr<TcpStream> tcp) {
  wire_ = std::make_unique<PartnerWire>(
      std::move(tcp),
      PartnerWire::Events{.on_header =
                              [this](const StreamHeader& header) {
                                stream_id_ = header.id;
                                features_seen_ = false;
                              },
                          .on_element = [this](const proto::Element& e) { OnElement(e); },
                          .on_footer = [this] { OnFooter(); },
                          .on_tls = [this](bool done) { OnTls(done); },
                          .on_closed =
                              [this] {
                                Note("cut");
                                EndRefused();
                              }});
  SendHeader();
}

void InboundPlay::SendHeader() {
  wire_->Send(StreamHeaderXml({.from = domain(), .to = stage().local_domain, .id = {}}));
}

void InboundPlay::OnElement(const proto::Element& element) {
  if (ended()) return;
  if (Is(element, "features", ns::kStream)) return OnFeatures(element);
  if (Is(element, "error", ns::kStream)) return OnStreamError(element);
  if (element.ns() == ns::kTls) return OnTlsElement(element);
  if (element.ns() == ns::kSasl) return OnSaslElement(element);
  if (element.ns() == ns::kDialback) return OnDialbackElement(element);
  Note("<" + element.name() + ">");
}

void InboundPlay::OnFeatures(const proto::Element& features) {
  features_seen_ = true;
  if (authenticated_) return SendStanza();
  Note(FeaturesWord(features));
  if (wire_->in_tls()) return TrySasl();
  OnClearFeatures(FindChild(features, "starttls", ns::kTls) != nullptr);
}

void InboundPlay::OnClearFeatures(bool starttls_offered) {
  const StartTls mode = cell().partner.starttls;
  if (mode == StartTls::kRequires || (mode == StartTls::kOffers && starttls_offered))
    return wire_->Send(kStartTlsXml);
  TrySasl();
}

void InboundPlay::OnTlsElement(const proto::Element& element) {
  if (element.name() != "proceed") {
    SetRefusal("no TLS");
    return Note("tls-failure");
  }
  Note("proceed");
  const auto index = static_cast<std::size_t>(cell().partner.certificate);
  wire_->StartTls(stage().certificates.at(index), TlsSession::Role::kClient, stage().local_domain);
}

void InboundPlay::OnTls(bool done) {
  if (done) {
    SetRefusal("certificate");  // until the features come
    return SendHeader();
  }
  Note("handshake-failed");
  SetRefusal("TLS");
  EndRefused();
}

void InboundPlay::TrySasl() {
  SetRefusal("no method");
  if (!cell().partner.external) return TryKey();
  wire_->Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" +
              Base64(domain()) + "</auth>");
}

void InboundPlay::OnSaslElement(const proto::Element& element) {
  if (element.name() != "success") {
    Note(fmt::format("sasl:{}", ConditionOf(element)));
    return TryKey();
  }
  Note("success");
  SetMethod("sasl_tls");
  authenticated_ = true;
  wire_->RestartXml();
  SendHeader();
}

void InboundPlay::TryKey() {
  if (cell().partner.dialback == Dialback::kAbsent) return SendStanza();
  const bool right = cell().partner.dialback == Dialback::kRight;
  wire_->Send(fmt::format("<db:result from='{}' to='{}'>{}</db:result>", domain(),
                          stage().local_domain,
                          right ? PartnerKey(*this, stream_id_) : WrongKey(*this, stream_id_)));
}

void InboundPlay::OnDialbackElement(const proto::Element& element) {
  const std::string_view type = Attribute(element, "type");
  if (type == "error") {
    const std::string_view condition = DialbackCondition(element);
    Note(fmt::format("db:{}", condition));
    SetRefusal(condition);
    return SendStanza();
  }
  Note(fmt::format("db:{}", type));
  if (type != "valid") return SetRefusal("key invalid");
  // Nobody was asked: the certificate it was.
  const bool asked = outcome().trail.find("verify:") != std::string::npos;
  SetMethod(!asked ? "certificate" : (wire_->in_tls() ? "tls_dialback" : "tcp_dialback"));
  SendStanza();
}

void InboundPlay::SendStanza() {
  wire_->Send(
      fmt::format("<message from='juliet@{}/balcony' to='ann@{}' type='chat' id='m1'>"
                  "<body>{}</body></message>",
                  domain(), stage().local_domain, mark()));
}

void InboundPlay::OnStreamError(const proto::Element& element) {
  Note(fmt::format("error:{}", ConditionOf(element)));
  EndRefused();
}

void InboundPlay::OnFooter() {
  Note("closed");
  EndRefused();
}

void InboundPlay::OnSipMessage() {
  SawStanza();
  End(method().empty() ? "stanza crossed without a method" : method());
}

void InboundPlay::Disconnect() {
  attempt_.reset();
  if (wire_) AddClearOctets(wire_->clear_octets());
  wire_.reset();
}

}  // namespace gatehouse::selftest
