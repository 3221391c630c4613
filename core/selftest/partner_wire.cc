#include "core/selftest/partner_wire.h"

#include <utility>

namespace gatehouse::selftest {

PartnerWire::PartnerWire(std::unique_ptr<TcpStream> tcp, Events events)
    : events_(std::move(events)), tcp_(std::move(tcp)) {
  RestartXml();
  tcp_->Start({.on_bytes = [this](Bytes bytes) { OnBytes(bytes); },
               .on_closed = [this](std::string_view) { Closed(); }});
}

PartnerWire::~PartnerWire() = default;

void PartnerWire::Send(std::string_view xml) {
  if (closed_) return;
  if (!tls_) return tcp_->Write(xml);
  if (!tls_->handshake_done() || !tls_->Write(xml)) Closed();
}

void PartnerWire::RestartXml() {
  reader_ = XmlReader::Create(
      {.on_header = [this](const StreamHeader& header) { events_.on_header(header); },
       .on_element = [this](proto::Element& element, std::size_t) { events_.on_element(element); },
       .on_footer = [this] { events_.on_footer(); },
       .on_oversized = [](const proto::Element&) {},
       .on_whitespace = {}});
  reader_->LiftUnverifiedBudget();
}

void PartnerWire::StartTls(std::shared_ptr<const TlsContext> context, TlsSession::Role role,
                           std::string_view server_name) {
  auto session =
      TlsSession::Create(std::move(context), role, server_name,
                         {.on_ciphertext = [this](std::string_view bytes) { tcp_->Write(bytes); },
                          .on_plaintext = [this](Bytes bytes) { OnPlaintext(bytes); },
                          .on_handshake_done = [this] { events_.on_tls(true); },
                          .on_peer_closed = [this] { Closed(); }});
  const bool has_session = session.has_value();
  if (has_session) tls_ = *std::move(session);
  RestartXml();
  if (!has_session || !tls_->Start()) events_.on_tls(false);
}

void PartnerWire::OnBytes(Bytes bytes) {
  if (closed_) return;
  if (!tls_) {
    clear_octets_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return OnPlaintext(bytes);
  }
  const bool in_handshake = !tls_->handshake_done();
  if (tls_->Feed(bytes)) return;
  if (in_handshake) events_.on_tls(false);
  Close();
}

void PartnerWire::OnPlaintext(Bytes bytes) {
  if (closed_ || reader_->Feed(bytes)) return;
  Close();  // what is no XML is seen as a cell without an end
}

void PartnerWire::Close() {
  if (!std::exchange(closed_, true)) tcp_->CloseAfterWrites();
}

void PartnerWire::Closed() {
  if (!std::exchange(closed_, true)) events_.on_closed();
}

}  // namespace gatehouse::selftest
