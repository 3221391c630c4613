#include "core/selftest/outbound_play.h"

#include <fmt/format.h>

namespace gatehouse::selftest {

void OutboundPlay::Start() {
  stage().sip.SendMessage("ann@" + stage().local_domain, "juliet@" + domain(), mark(), mark());
}

void OutboundPlay::OnSipAnswer(int status) {
  status_ = status;
  if (status >= 300) return End(fmt::format("refused: {} ({})", refusal(), status));
  if (stanza_came_) End(method());
}

void OutboundPlay::OnStanza() {
  SawStanza();
  stanza_came_ = true;
  if (method().empty()) return End("stanza came without a method");
  if (status_ == 200) End(method());
}

}  // namespace gatehouse::selftest
