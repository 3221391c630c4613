// Store content into the snapshot that is published. Pure.
#pragma once

#include <cstdint>
#include <functional>
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
  std::int64_t next_expiry_unix = 0;  // when the next partner expires; 0: none will
  // There are partners, but no access policy lets anybody talk with them (access_notice.h).
  bool nobody_may = false;
};

// `served` are our own domains, prepared. A record that breaks a rule (one of its domains has
// become ours, the store was edited by hand) is named and never published in another shape (4.2):
// what is published are its domains alone, disabled and without a method, so that nobody's wider
// wildcard takes them. A partner that has expired is published as one that is not enabled. The
// same content gives the same hash. `still_busy` is called for each record.
[[nodiscard]] CompiledPolicy CompilePolicy(
    const StoreContent& content, const std::vector<std::string>& served, std::int64_t now_unix = 0,
    const std::function<void()>& still_busy = [] {});

}  // namespace gatehouse::policy_engine
