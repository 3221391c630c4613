// A real gatehoused of this installation, started in a folder of its own, on loopback ports the
// kernel chose.
#pragma once

#include <memory>
#include <string>

#include "core/loop/child_process.h"
#include "core/loop/owned_fd.h"
#include "core/loop/socket_address.h"
#include "proto/ctl.pb.h"

namespace gatehouse::selftest {

class PrivateGatehouse {
 public:
  // Starts the gatehoused beside this program with `config` as its gatehouse.yaml and waits until
  // all its workers are ready. `folder` exists; configuration, state, sockets and the log go there.
  //   fails  kTrouble: it ended, or was not ready within 60 s; the last line of its log is named
  static Result<std::unique_ptr<PrivateGatehouse>> Start(Loop& loop, const std::string& folder,
                                                         const std::string& config);
  // It has ended when this returns.
  ~PrivateGatehouse();
  PrivateGatehouse(const PrivateGatehouse&) = delete;
  PrivateGatehouse& operator=(const PrivateGatehouse&) = delete;

  // What gatehousectl would ask. Blocks. Fails where the answer's exit code is not 0.
  Result<proto::CtlResponse> Call(const proto::CtlRequest& request) const;
  // Where it listens.
  [[nodiscard]] const SocketAddress& xmpp() const { return xmpp_; }
  [[nodiscard]] const SocketAddress& sip() const { return sip_; }
  [[nodiscard]] bool running() const { return running_; }

 private:
  PrivateGatehouse(Loop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)) {}
  Result<void> Spawn(const std::string& config);
  Result<void> AwaitReady();
  Result<bool> IsReady();
  [[nodiscard]] std::string LastLogLine() const;

  Loop& loop_;
  std::string folder_;
  OwnedFd log_;
  std::unique_ptr<ChildProcess> child_;
  SocketAddress xmpp_;
  SocketAddress sip_;
  bool running_ = false;
};

}  // namespace gatehouse::selftest
