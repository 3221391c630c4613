// One entry of `listen:`.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/loop/socket_address.h"

namespace gatehouse {

struct ListenAddress {
  std::string transport;  // "tcp", "udp" or "tls"
  SocketAddress address;  // port 0: the kernel picks one

  // "[::]:5269", for xmpp and xmpps.
  //   fails  kConfig: "is 'x'; would be right: an address and a port such as [::]:5269"
  static Result<ListenAddress> ParseXmpp(std::string_view text);
  // "tls:[::]:5061", for sip; the transport is one of tls, tcp, udp.
  static Result<ListenAddress> ParseSip(std::string_view text);
};

}  // namespace gatehouse
