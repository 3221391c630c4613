// What Lync and Kamailio have to be told, as text to paste (11.9).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::ctl {

// Where a value is unknown its placeholder stands: in capitals, for the operator to fill in.
struct SipPlan {
  std::string host;       // of the edge: "edge.corp.example"
  std::string transport;  // "tls", "tcp" or "udp": what we listen on
  std::string address;    // what to send to where that is no TLS: an address, or the host
  std::uint16_t port = 5061;
  std::string site;
  std::string registrar;
  std::vector<std::string> partners;  // domains and "*." patterns, each once
};

// PowerShell for the Lync management shell.
[[nodiscard]] std::string LyncText(const SipPlan& plan);
// A route block for kamailio.cfg.
[[nodiscard]] std::string KamailioText(const SipPlan& plan);

}  // namespace gatehouse::ctl
