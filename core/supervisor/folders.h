// The folders an instance of Gatehouse lives under, and the locks that keep a second one out.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/loop/owned_fd.h"
#include "core/supervisor/runtime_paths.h"
#include "proto/topology.pb.h"

namespace gatehouse {

// Makes `dir` where it is missing (its parent is not made) and sees that this user may write in it.
//   flag   "--state-dir", for the message
//   gives  the absolute path
//   fails  kConfig: "--state-dir /x: cannot be written: Permission denied; would be right: ..."
Result<std::string> PrepareFolder(std::string_view flag, const std::string& dir);

// One folder for each link, open to this user alone.
Result<void> PrepareLinkFolders(const RuntimePaths& paths, const proto::Topology& topology);

// Held as long as the descriptor is open, so a crash frees it.
//   flag   "--state-dir", for the message
//   fails  kConfig: another supervisor, with its process id, runs on this folder
Result<OwnedFd> LockFolder(std::string_view flag, const std::string& dir);

}  // namespace gatehouse
