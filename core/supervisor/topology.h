// topology.textproto: which kinds of worker there are, what each may touch, and who talks to whom.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "proto/topology.pb.h"

namespace gatehouse {

// Reads and checks `text`.
//   fails  kConfig: "topology: 3:14: ..." for what is no topology; "topology: link 3: no worker
//   named 'x'" and the
//          like for what makes no sense. Workers and links are counted from 1
Result<proto::Topology> ParseTopology(std::string_view text);
Result<proto::Topology> ReadTopologyFile(const std::string& path);

// The kind named `name`, or null.
const proto::WorkerKind* FindWorkerKind(const proto::Topology& topology, std::string_view name);

}  // namespace gatehouse
