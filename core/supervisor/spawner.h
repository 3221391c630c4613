// Starts one gatehouse-worker: descriptor 3 its lifeline, 4 and on its listening sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/child_process.h"
#include "core/loop/owned_fd.h"
#include "core/supervisor/listening_sockets.h"
#include "proto/link_control.pb.h"

namespace gatehouse {

struct SpawnedWorker {
  std::unique_ptr<ChildProcess> process;
  OwnedFd lifeline;  // closing it ends the worker
};

// `config` is complete but for its listeners, which are described and numbered here.
//   fails  kTrouble when the program cannot be started, kConfig when the configuration is too large
//   to hand over
Result<SpawnedWorker> SpawnWorker(Loop& loop, const std::string& program,
                                  proto::WorkerConfig config,
                                  const std::vector<ListeningSockets::Handed>& listeners,
                                  std::function<void(ChildProcess::Exit)> on_exit);

}  // namespace gatehouse
