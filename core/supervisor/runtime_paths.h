// What lies where: beside the programs, and in the runtime folder.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

inline constexpr std::string_view kDefaultConfigFile = "/etc/gatehouse/gatehouse.yaml";
inline constexpr std::string_view kDefaultStateDir = "/var/lib/gatehouse";
inline constexpr std::string_view kDefaultRuntimeDir = "/run/gatehouse";

// Found from the running program, so that a build tree and an install tree work alike.
struct InstallLayout {
  std::string worker_program;  // bin/gatehouse-worker
  std::string plugin_dir;      // lib/gatehouse
  std::string topology_file;   // share/gatehouse/topology.textproto

  // `program` is an absolute path such as /usr/bin/gatehoused.
  static InstallLayout Beside(const std::string& program);
  // Of the program that runs. Fails when /proc cannot be read.
  static Result<InstallLayout> OfThisProgram();
};

struct RuntimePaths {
  std::string dir;  // absolute, no slash at its end

  // gatehousectl's door, for ipc::CtlServer and ipc::CallSupervisor.
  [[nodiscard]] std::string CtlAddress() const { return "ipc://" + dir + "/ctl.sock"; }
  [[nodiscard]] std::string ControlAddress() const { return "ipc://" + dir + "/control.sock"; }
  // Each link's sockets lie in a folder of their own: file permissions draw the topology.
  [[nodiscard]] std::string LinkDir(std::string_view from, std::string_view to) const;
  [[nodiscard]] std::string LinkAddress(std::string_view from, std::string_view to,
                                        unsigned to_index) const;
};

}  // namespace gatehouse
