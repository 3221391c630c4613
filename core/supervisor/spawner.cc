#include "core/supervisor/spawner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/worker/lifeline.h"

namespace gatehouse {
namespace {

struct Pipe {
  OwnedFd worker_end;
  OwnedFd our_end;
};

// Close-on-exec: no other worker may hold our end, or this one would outlive us.
Result<Pipe> MakeLifeline() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return Trouble(fmt::format("lifeline: {}", std::strerror(errno)));
  Pipe pipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
  if (::fcntl(pipe.our_end.get(), F_SETFL, O_NONBLOCK) != 0)
    return Trouble(fmt::format("lifeline: {}", std::strerror(errno)));
  return pipe;
}

}  // namespace

Result<SpawnedWorker> SpawnWorker(Loop& loop, const std::string& program,
                                  proto::WorkerConfig config,
                                  const std::vector<ListeningSockets::Handed>& listeners,
                                  std::function<void(ChildProcess::Exit)> on_exit) {
  GATEHOUSE_TRY(Pipe pipe, MakeLifeline());
  ChildProcess::Plan plan{.command = {program, config.instance()},
                          .descriptors = {pipe.worker_end.get()}};
  for (const ListeningSockets::Handed& listener : listeners) {
    proto::ListenSocket& description = *config.add_listeners();
    description = listener.description;
    plan.descriptors.push_back(listener.fd);
    description.set_fd(kLifelineFd + static_cast<int>(plan.descriptors.size()) - 1);
  }
  GATEHOUSE_TRY_VOID(SendWorkerConfig(pipe.our_end.get(), config));
  GATEHOUSE_TRY(auto process, ChildProcess::Spawn(loop, plan, std::move(on_exit)));
  return SpawnedWorker{std::move(process), std::move(pipe.our_end)};
}

}  // namespace gatehouse
