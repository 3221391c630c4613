// The other direction: a SIP user writes to somebody at the partner, and Gatehouse must find a way.
// The partner's side of it is a ServedStream.
#pragma once

#include "core/selftest/cell_play.h"

namespace gatehouse::selftest {

class OutboundPlay final : public CellPlay {
 public:
  using CellPlay::CellPlay;
  void Start() override;
  void OnSipMessage() override { SawStanza(); }
  void OnSipAnswer(int status) override;
  void Disconnect() override {}

  // The stanza has come over a stream whose pair is proven by method(), or by nothing.
  void OnStanza();

 private:
  int status_ = 0;
  bool stanza_came_ = false;
};

}  // namespace gatehouse::selftest
