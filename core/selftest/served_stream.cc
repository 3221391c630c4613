#include "core/selftest/served_stream.h"

#include <fmt/format.h>

#include "core/selftest/outbound_play.h"
#include "core/selftest/stream_words.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse::selftest {
namespace {

constexpr std::size_t kIdBytes = 8;

}  // namespace

ServedStream::ServedStream(std::unique_ptr<TcpStream> tcp,
                           std::function<CellPlay*(std::string_view)> find_play)
    : find_play_(std::move(find_play)),
      wire_(std::move(tcp), {.on_header = [this](const StreamHeader& h) { OnHeader(h); },
                             .on_element = [this](const proto::Element& e) { OnElement(e); },
                             .on_footer = [this] { wire_.Send(kStreamFooter); },
                             .on_tls = [this](bool done) { OnTls(done); },
                             .on_closed = [] {}}) {}

ServedStream::~ServedStream() {
  if (play_ != nullptr) play_->AddClearOctets(wire_.clear_octets());
}

void ServedStream::OnHeader(const StreamHeader& header) {
  play_ = find_play_(header.to);
  if (play_ == nullptr) return wire_.Close();
  stream_id_ = RandomHex(kIdBytes);
  const bool dialback = verifies_only() || behaviour().dialback != Dialback::kAbsent;
  wire_.Send(StreamHeaderXml(
      {.from = header.to, .to = header.from, .id = stream_id_, .dialback = dialback}));
  wire_.Send("<stream:features>" + Features() + "</stream:features>");
}

std::string ServedStream::Features() const {
  if (authenticated_) return {};
  std::string xml;
  if (!wire_.in_tls() && behaviour().starttls == StartTls::kOffers) xml += kStartTlsXml;
  if (!wire_.in_tls() && behaviour().starttls == StartTls::kRequires)
    xml += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
  if (wire_.in_tls() && behaviour().external)
    xml +=
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
        "</mechanisms>";
  if (behaviour().dialback != Dialback::kAbsent) xml += kDialbackFeatureXml;
  return xml;
}

void ServedStream::OnElement(const proto::Element& element) {
  if (Is(element, "starttls", ns::kTls)) return OnStartTls();
  if (Is(element, "auth", ns::kSasl)) return OnAuth();
  if (Is(element, "verify", ns::kDialback)) return OnVerify(element);
  if (Is(element, "result", ns::kDialback)) return OnKey(element);
  if (Is(element, "message", ns::kServer)) return OnMessage(element);
}

void ServedStream::OnStartTls() {
  if (!verifies_only()) play_->Note("starttls");
  if (behaviour().starttls == StartTls::kOmits) {
    play_->SetRefusal("TLS");
    wire_.Send(kTlsFailureXml);
    return wire_.Close();
  }
  wire_.Send(kProceedXml);
  // An authoritative server without a certificate could not speak TLS at all: it shows a bad one.
  const bool none = behaviour().certificate == Certificate::kNone && verifies_only();
  const Certificate shown = none ? Certificate::kUntrusted : behaviour().certificate;
  wire_.StartTls(play_->stage().certificates.at(static_cast<std::size_t>(shown)),
                 TlsSession::Role::kServer, {});
}

void ServedStream::OnTls(bool done) {
  if (verifies_only()) return;
  play_->Note(done ? "tls" : "handshake-failed");
  if (!done) play_->SetRefusal("TLS");
}

// EXTERNAL is worth what the certificate is worth: Gatehouse must have shown its own.
void ServedStream::OnAuth() {
  play_->Note("auth");
  const TlsSession* tls = wire_.tls();
  if (tls == nullptr || !tls->peer().chain_valid ||
      !MatchesXmppDomain(tls->peer(), play_->stage().local_domain))
    return play_->Note("without-certificate");
  play_->SetMethod("sasl_tls");
  authenticated_ = true;
  wire_.Send(kSuccessXml);
  wire_.RestartXml();
}

void ServedStream::OnKey(const proto::Element& element) {
  play_->Note(fmt::format("key:{}", Layer()));
  const std::string& local = play_->stage().local_domain;
  const auto answer = [&](std::string_view type, std::string_view content) {
    wire_.Send(fmt::format("<db:result from='{}' to='{}' type='{}'>{}</db:result>", play_->domain(),
                           local, type, content));
  };
  play_->SetRefusal("partner refused");
  if (behaviour().dialback == Dialback::kAbsent)
    return wire_.Send(
        "<stream:error><unsupported-stanza-type xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        "</stream:error></stream:stream>");
  if (behaviour().starttls == StartTls::kRequires && !wire_.in_tls())
    return answer("error",
                  "<error type='modify'><policy-violation "
                  "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  const bool right =
      TextOf(element) == KeyBy(play_->stage().passphrase, play_->domain(), local, stream_id_);
  if (!right) play_->Note("wrong-key");
  play_->SetRefusal("key invalid");
  if (behaviour().dialback == Dialback::kWrong || !right) return answer("invalid", {});
  play_->SetMethod(wire_.in_tls() ? "tls_dialback" : "tcp_dialback");
  answer("valid", {});
}

void ServedStream::OnVerify(const proto::Element& element) {
  play_->Note(fmt::format("verify:{}", Layer()));
  const std::string id(Attribute(element, "id"));
  const bool valid = TextOf(element) == PartnerKey(*play_, id);
  wire_.Send(fmt::format("<db:verify from='{}' to='{}' id='{}' type='{}'/>", play_->domain(),
                         play_->stage().local_domain, id, valid ? "valid" : "invalid"));
}

void ServedStream::OnMessage(const proto::Element& element) {
  const proto::Element* body = FindChild(element, "body", ns::kServer);
  if (body == nullptr || verifies_only() || TextOf(*body) != play_->mark()) return;
  static_cast<OutboundPlay*>(play_)->OnStanza();
}

}  // namespace gatehouse::selftest
