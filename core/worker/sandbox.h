// What a worker gives up between Prepare and Start.
#pragma once

#include <cstdint>

#include "core/base/result.h"

namespace gatehouse {

enum class NetworkRight : std::uint8_t {
  kNone,      // no IPv4 and no IPv6 socket can be made; links between processes are Unix sockets
  kInternet,  // both can
};

// Holds for every thread of this process, for good:
//   no_new_privs     no program run from here gains rights
//   killed           starting programs, tracing, mounting, loading kernel code, changing user or
//   root folder EPERM            new processes (threads work), packet sockets, and IPv4 and IPv6
//   sockets without kInternet returns  false where the kernel knows no seccomp filters at all: then
//   only no_new_privs holds fails    kTrouble when the kernel refuses the filter for any other
//   reason
Result<bool> EnterSandbox(NetworkRight network);

}  // namespace gatehouse
