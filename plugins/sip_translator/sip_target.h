// One place to send a request to.
#pragma once

#include <string>

#include "core/loop/socket_address.h"
#include "core/sip/sip_message.h"

namespace gatehouse {

struct SipTarget {
  SipTransport transport = SipTransport::kUdp;
  SocketAddress address;
  // TLS: what the certificate has to prove: the fixed next hop's host, or the SIP domain where the
  // target came from RFC 3263 (11.8). Empty: any trusted peer's name.
  std::string tls_name;

  // Names transport, address and identity together; set by NameIt once the rest is.
  std::string key;
  void NameIt() { key = std::string(ViaName(transport)) + ' ' + address.ToText() + ' ' + tls_name; }
};

}  // namespace gatehouse
