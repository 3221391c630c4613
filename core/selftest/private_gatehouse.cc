#include "core/selftest/private_gatehouse.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/supervisor/runtime_paths.h"
#include "ipc/ctl_link.h"

namespace gatehouse::selftest {
namespace {

constexpr milliseconds kReadyLimit{60000};
constexpr milliseconds kStopLimit{20000};
constexpr milliseconds kPoll{50};
constexpr milliseconds kCallLimit{60000};

Result<std::string> Gatehoused() {
  GATEHOUSE_TRY(const InstallLayout layout, InstallLayout::OfThisProgram());
  const auto bin = std::filesystem::path(layout.worker_program).parent_path();
  return (bin / "gatehoused").string();
}

// "tcp:127.0.0.1:5060" and "127.0.0.1:5269" alike.
Result<SocketAddress> AddressOf(const proto::ListenerStatus& listener) {
  const std::string& text = listener.address();
  const std::size_t at = text.starts_with("tcp:") ? 4 : 0;
  return SocketAddress::Parse(text.substr(at));
}

}  // namespace

Result<std::unique_ptr<PrivateGatehouse>> PrivateGatehouse::Start(Loop& loop,
                                                                  const std::string& folder,
                                                                  const std::string& config) {
  std::unique_ptr<PrivateGatehouse> gatehouse(new PrivateGatehouse(loop, folder));  // NOLINT
  GATEHOUSE_TRY_VOID(gatehouse->Spawn(config));
  GATEHOUSE_TRY_VOID(gatehouse->AwaitReady());
  return gatehouse;
}

Result<void> PrivateGatehouse::Spawn(const std::string& config) {
  const std::string config_file = folder_ + "/gatehouse.yaml";
  std::ofstream(config_file) << config;
  const std::string log_file = folder_ + "/gatehoused.log";
  log_.Reset(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log_.valid()) return Trouble("cannot write " + log_file);
  GATEHOUSE_TRY(const std::string program, Gatehoused());
  const ChildProcess::Plan plan{.command = {program, "--config", config_file, "--state-dir",
                                            folder_ + "/state", "--runtime-dir", folder_ + "/run"},
                                .descriptors = {},
                                .standard_error = log_.get()};
  GATEHOUSE_TRY(child_,
                ChildProcess::Spawn(loop_, plan, [this](ChildProcess::Exit) { running_ = false; }));
  running_ = true;
  return {};
}

Result<void> PrivateGatehouse::AwaitReady() {
  const TimePoint end = loop_.Now() + kReadyLimit;
  while (loop_.Now() < end) {
    loop_.RunOnce();
    if (!running_) return Trouble("the private gatehoused ended: " + LastLogLine());
    GATEHOUSE_TRY(const bool ready, IsReady());
    if (ready) return {};
    std::this_thread::sleep_for(kPoll);
  }
  return Trouble("the private gatehoused was not ready in time: " + LastLogLine());
}

Result<bool> PrivateGatehouse::IsReady() {
  proto::CtlRequest request;
  request.mutable_status();
  const auto response = Call(request);
  if (!response) return false;  // its door is not open yet
  const proto::StatusReport& status = response->status();
  const bool ready = std::ranges::all_of(status.workers(), [](const proto::WorkerStatus& worker) {
    return worker.state() == "ready";
  });
  if (!ready) return false;
  for (const proto::ListenerStatus& listener : status.listeners()) {
    GATEHOUSE_TRY((listener.kind() == "xmpp" ? xmpp_ : sip_), AddressOf(listener));
  }
  return true;
}

Result<proto::CtlResponse> PrivateGatehouse::Call(const proto::CtlRequest& request) const {
  const RuntimePaths paths{folder_ + "/run"};
  GATEHOUSE_TRY(std::optional<proto::CtlResponse> response,
                ipc::CallSupervisor(paths.CtlAddress(), request, kCallLimit));
  if (!response) return Trouble("gatehoused does not answer");
  if (response->exit_code() != 0) return Trouble(response->error());
  return *std::move(response);
}

std::string PrivateGatehouse::LastLogLine() const {
  std::ifstream log(folder_ + "/gatehoused.log");
  std::string last;
  for (std::string line; std::getline(log, line);) last = line;
  return last.empty() ? "it said nothing" : last;
}

PrivateGatehouse::~PrivateGatehouse() {
  if (!running_) return;
  child_->Kill(SIGTERM);
  const TimePoint end = loop_.Now() + kStopLimit;
  while (running_) {
    if (loop_.Now() > end) child_->Kill(SIGKILL);
    std::this_thread::sleep_for(kPoll);
    loop_.RunOnce();
  }
}

}  // namespace gatehouse::selftest
