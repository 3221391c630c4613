#include "tests/bench/partner_stream.h"

#include <utility>

#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse::bench {

PartnerStream::PartnerStream(Loop& loop, std::unique_ptr<TcpStream> tcp, Facts facts,
                             const Events& events)
    : facts_(std::move(facts)), events_(events) {
  transport_ = StreamTransport::Create(
      loop, std::move(tcp),
      {.on_header = [this](const StreamHeader& header) { OnHeader(header); },
       .on_element = [this](proto::Element& element, std::size_t) { OnElement(element); },
       .on_oversized = {},
       .on_footer = [this] { transport_->Close(); },
       .on_bad_xml = [this](auto) { events_.on_gone(*this, "XML that is none"); },
       .on_tls = [this](const Result<void>& done) { OnTls(done); },
       .on_closed = [this](std::string_view why) { events_.on_gone(*this, why); },
       .on_writable = {},
       .on_whitespace = {}});
  if (!accepted()) SendHeader(facts_.from, {});
}

void PartnerStream::SendHeader(std::string_view from, std::string_view id) {
  Send(StreamHeaderXml({.from = from, .to = facts_.to, .id = id}));
}

void PartnerStream::OnHeader(const StreamHeader& header) {
  if (!accepted()) return;
  SendHeader(header.to, RandomHex(8));
  if (transport_->tls() == nullptr)
    return Send(
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>"
        "</starttls></stream:features>");
  if (!authenticated_)
    return Send(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
        "<mechanism>EXTERNAL</mechanism></mechanisms></stream:features>");
  Send("<stream:features/>");
  transport_->LiftUnverifiedBudget();
  events_.on_open(*this);
}

void PartnerStream::OnTls(const Result<void>& done) {
  if (!done) return events_.on_gone(*this, done.error().text);
  if (!accepted()) SendHeader(facts_.from, {});
}

void PartnerStream::OnElement(proto::Element& element) {
  if (Is(element, "message", ns::kServer)) return events_.on_message(element);
  if (element.ns() == ns::kTls) return OnTlsElement(element);
  if (Is(element, "features", ns::kStream)) return OnFeatures(element);
  if (Is(element, "auth", ns::kSasl) || Is(element, "success", ns::kSasl)) return OnAuthenticated();
  if (Is(element, "iq", ns::kServer) || Is(element, "presence", ns::kServer)) return;
  events_.on_gone(*this, "unexpected <" + element.name() + "/>");
}

void PartnerStream::OnTlsElement(const proto::Element& element) {
  if (element.name() == "starttls") {
    Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    return transport_->StartTls(facts_.tls, TlsSession::Role::kServer, {});
  }
  transport_->StartTls(facts_.tls, TlsSession::Role::kClient, facts_.to);
}

void PartnerStream::OnFeatures(const proto::Element& features) {
  if (transport_->tls() == nullptr)
    return Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  if (authenticated_) return events_.on_open(*this);
  if (FindChild(features, "mechanisms", ns::kSasl) == nullptr)
    return events_.on_gone(*this, "SASL EXTERNAL is not offered");
  Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" +
       Base64(facts_.from) + "</auth>");
}

// The certificate is checked by Gatehouse's own tests; here only speed counts.
void PartnerStream::OnAuthenticated() {
  authenticated_ = true;
  if (accepted()) Send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  transport_->RestartXml();
  transport_->LiftUnverifiedBudget();
  if (!accepted()) SendHeader(facts_.from, {});
}

}  // namespace gatehouse::bench
