// Descriptor 3 of a worker: a pipe from the supervisor. Its WorkerConfig goes ahead,
// length-prefixed; then the pipe stays open and silent, and its end means that the supervisor is
// gone.
#pragma once

#include "core/base/result.h"

namespace gatehouse::proto {
class WorkerConfig;
}

namespace gatehouse {

inline constexpr int kLifelineFd = 3;
// Exit status of a worker that a change of configuration would help: its key cannot be read, its
// plugin is another build's. EX_CONFIG of sysexits.h.
inline constexpr int kExitConfig = 78;
inline constexpr int kExitFailure = 1;

// Writes without waiting; the pipe takes 1 MiB.
//   fails  kConfig when the configuration is larger, kTrouble when the pipe is broken
Result<void> SendWorkerConfig(int fd, const proto::WorkerConfig& config);

// Waits for it. Fails when the pipe ends early or what comes is no WorkerConfig.
Result<proto::WorkerConfig> ReceiveWorkerConfig(int fd);

}  // namespace gatehouse
