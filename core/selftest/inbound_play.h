// The partner as the initiating server: opens a stream to Gatehouse, tries what its cell says, and
// in the end sends a stanza whatever it was told.
#pragma once

#include <memory>
#include <string>

#include "core/selftest/cell_play.h"
#include "core/selftest/partner_wire.h"

namespace gatehouse::selftest {

class InboundPlay final : public CellPlay {
 public:
  using CellPlay::CellPlay;
  void Start() override;
  void OnSipMessage() override;
  void OnSipAnswer(int /*status*/) override {}
  void Disconnect() override;

 private:
  void OnConnected(std::unique_ptr<TcpStream> tcp);
  void SendHeader();
  void OnElement(const proto::Element& element);
  void OnFeatures(const proto::Element& features);
  void OnClearFeatures(bool starttls_offered);
  void OnTlsElement(const proto::Element& element);
  void OnTls(bool done);
  void OnSaslElement(const proto::Element& element);
  void OnDialbackElement(const proto::Element& element);
  void OnStreamError(const proto::Element& element);
  void OnFooter();
  void TrySasl();
  void TryKey();
  void SendStanza();

  std::unique_ptr<TcpStream::Connecting> attempt_;
  std::unique_ptr<PartnerWire> wire_;
  std::string stream_id_;
  bool features_seen_ = false;  // since the last header
  bool authenticated_ = false;
};

}  // namespace gatehouse::selftest
