// The partner as the receiving server of a cell, or as the authoritative server of its key: one
// stream that Gatehouse opened.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/selftest/cell_play.h"
#include "core/selftest/partner_wire.h"

namespace gatehouse::selftest {

class ServedStream {
 public:
  // `find_play` gives the play of a domain, or null.
  ServedStream(std::unique_ptr<TcpStream> tcp,
               std::function<CellPlay*(std::string_view)> find_play);
  // Hands what came in clear to its play.
  ~ServedStream();
  ServedStream(const ServedStream&) = delete;
  ServedStream& operator=(const ServedStream&) = delete;

  // Null before the header.
  [[nodiscard]] const CellPlay* play() const { return play_; }

 private:
  void OnHeader(const StreamHeader& header);
  void OnElement(const proto::Element& element);
  void OnStartTls();
  void OnTls(bool done);
  void OnAuth();
  void OnKey(const proto::Element& element);
  void OnVerify(const proto::Element& element);
  void OnMessage(const proto::Element& element);
  [[nodiscard]] std::string Features() const;
  [[nodiscard]] bool verifies_only() const { return play_->cell().way == Way::kIn; }
  [[nodiscard]] const Behaviour& behaviour() const { return play_->cell().partner; }
  [[nodiscard]] std::string_view Layer() const { return wire_.in_tls() ? "tls" : "clear"; }

  std::function<CellPlay*(std::string_view)> find_play_;
  CellPlay* play_ = nullptr;
  std::string stream_id_;
  bool authenticated_ = false;
  PartnerWire wire_;
};

}  // namespace gatehouse::selftest
