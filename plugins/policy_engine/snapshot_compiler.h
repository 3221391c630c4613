// Store content into the snapshot that is published. Pure.
#pragma once

#include <string>
#include <vector>

#include "plugins/policy_engine/store.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

struct RejectedPartner {
  std::string domain;
  std::string why;  // one sentence with the remedy
};
struct CompiledPolicy {
  proto::PolicySnapshot snapshot;  // complete, with its hash
  std::vector<RejectedPartner> rejected;
};

// `served` are our own domains, prepared. A record that breaks a rule (one of its domains has
// become ours, the store was edited by hand) is left out and named; it is never published in
// another shape (4.2). The same content gives the same hash.
[[nodiscard]] CompiledPolicy CompilePolicy(const StoreContent& content,
                                           const std::vector<std::string>& served);

}  // namespace gatehouse::policy_engine
