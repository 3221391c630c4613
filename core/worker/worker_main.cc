// gatehouse-worker: hosts exactly one plugin. Started by gatehoused only, with its configuration on
// descriptor 3.
#include <fcntl.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string_view>

#include "core/base/log.h"
#include "core/worker/lifeline.h"
#include "core/worker/worker_host.h"

#ifdef __SANITIZE_ADDRESS__
// The leak check at exit traces this process, which the sandbox forbids.
extern "C" const char* __lsan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_options() {
  return "detect_leaks=0";
}  // NOLINT
#endif

namespace gatehouse {
namespace {

constexpr std::string_view kUsage =
    "usage: gatehouse-worker [--version] [--help]\n"
    "Hosts one plugin of Gatehouse. It is started by gatehoused, which hands it its configuration\n"
    "on descriptor 3, and ends when gatehoused does.\n";

// A terminal's Ctrl-C and systemd's SIGTERM reach the whole group; a worker drains when its
// supervisor says so and ends with its lifeline. A file at its limit of size is an error of the
// write.
void LeaveSignalsToTheSupervisor() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ})
    static_cast<void>(std::signal(number, SIG_IGN));
}

int PrintAndExit(std::string_view text, std::FILE* where, int status) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), where));
  return status;
}

int Fail(const Error& error) {
  Log(LogLevel::kError, "worker-failed", {{"why", error.text}});
  return error.fault == Fault::kConfig ? kExitConfig : kExitFailure;
}

// A burst's memory comes and goes many times a second; without this each time by system calls.
void KeepFreedMemory() {
  constexpr int kTopPadBytes = 256 * 1024;
  constexpr int kTrimThresholdBytes = 2 * 1024 * 1024;
  constexpr int kMmapThresholdBytes = 1024 * 1024;
  static_cast<void>(mallopt(M_TOP_PAD, kTopPadBytes));
  static_cast<void>(mallopt(M_TRIM_THRESHOLD, kTrimThresholdBytes));
  static_cast<void>(mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes));
}

int RunWorker() {
  KeepFreedMemory();
  LeaveSignalsToTheSupervisor();
  if (::fcntl(kLifelineFd, F_GETFD) < 0) return PrintAndExit(kUsage, stderr, 2);
  auto config = ReceiveWorkerConfig(kLifelineFd);
  if (!config) return Fail(config.error());
  SetUpLog(config->instance(),
           config->log_format() == "json" ? LogFormat::kJson : LogFormat::kText);
  auto host = WorkerHost::Create(*std::move(config));
  if (!host) return Fail(host.error());
  return (*host)->Run();
}

}  // namespace
}  // namespace gatehouse

int main(int argument_count, char** arguments) {
  if (argument_count == 2 && std::string_view(arguments[1]) == "--version")
    return gatehouse::PrintAndExit("gatehouse-worker " GATEHOUSE_VERSION "\n", stdout, 0);
  if (argument_count == 2 && std::string_view(arguments[1]) == "--help")
    return gatehouse::PrintAndExit(gatehouse::kUsage, stdout, 0);
  return gatehouse::RunWorker();
}
