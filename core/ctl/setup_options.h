// What the commands that set up the world around Gatehouse (dns, sip) are told.
#pragma once

#include <string>
#include <vector>

namespace gatehouse::ctl {

struct SetupOptions {
  std::string config;                  // of --config; empty: not given
  std::vector<std::string> domains;    // none: all of ours
  std::vector<std::string> resolvers;  // none: those of the configuration, or the system's
  std::vector<std::string> addresses;  // public ones of the edge
  std::string host;                    // its name for partners
  bool tlsa = false;
  std::string site;       // of the Lync topology; empty: for the operator to fill in
  std::string registrar;  // the pool
  bool lync = false;      // only what Lync is told
  bool kamailio = false;  // only what Kamailio is told
};

}  // namespace gatehouse::ctl
