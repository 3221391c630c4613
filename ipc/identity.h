// Who we are on every link.
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse::ipc {

struct Identity {
  std::string instance;     // "tls_listener/0"; our routing id
  std::uint64_t epoch = 0;  // this life; never 0
};

}  // namespace gatehouse::ipc
